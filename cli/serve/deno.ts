import type { FetchHandler, Listener, ListenOptions } from './listener.ts'

/** The parts of Deno's API that are used here. */
interface DenoServer {
  readonly addr: { readonly port: number }
  shutdown(): Promise<void>
}

declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen: () => void; signal: AbortSignal },
    handler: (
      request: Request,
      info: { readonly remoteAddr: { readonly hostname: string } },
    ) => Promise<Response>,
  ): DenoServer
}

export function listen(handler: FetchHandler, { host, port }: ListenOptions): Listener {
  const abort = new AbortController()
  const server = Deno.serve(
    { hostname: host, port, onListen: () => {}, signal: abort.signal },
    (request, { remoteAddr }) => handler(request, { peer: remoteAddr.hostname }),
  )
  return { port: server.addr.port, close: () => server.shutdown(), kill: () => abort.abort() }
}
