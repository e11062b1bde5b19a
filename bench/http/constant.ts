// The limit: what workerd answers a second when a Worker does nothing at all.
const BODY = JSON.stringify({ token: 'a'.repeat(300) })
const HEADERS = { 'Content-Type': 'application/json' }

// biome-ignore lint/style/noDefaultExport: where workerd looks for it
export default {
  fetch: (): Response => new Response(BODY, { headers: HEADERS }),
}
