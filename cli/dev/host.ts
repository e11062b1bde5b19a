/** Rejects requests whose `Host` is not localhost: a page could map its own domain to this machine (DNS rebinding). */
export function checkHost(request: Request, origin: string): Response | undefined {
  const { port } = new URL(origin)
  const host = request.headers.get('Host') ?? new URL(request.url).host
  const own = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`)
  return own.includes(host)
    ? undefined
    : new Response('This development server is only available on localhost.\n', { status: 421 })
}
