/** Rejects requests whose `Host` is another: a page could point a name of its own at this machine (DNS rebinding). */
export function checkHost(request: Request, origin: string): Response | undefined {
  const { port } = new URL(origin)
  const host = request.headers.get('Host') ?? new URL(request.url).host
  const own = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`)
  return own.includes(host)
    ? undefined
    : new Response('This development server answers on this machine only.\n', { status: 421 })
}
