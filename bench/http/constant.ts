// A Worker that returns a constant response: the upper limit for requests per second.
const BODY = JSON.stringify({ token: 'a'.repeat(300) })
const HEADERS = { 'Content-Type': 'application/json' }

// biome-ignore lint/style/noDefaultExport: workerd requires it
export default {
  fetch: (): Response => new Response(BODY, { headers: HEADERS }),
}
