import {
  BODY_LIMIT,
  type FetchHandler,
  KEEP_ALIVE_TIMEOUT,
  type Listener,
  type ListenOptions,
} from './listener.ts'

/** The parts of Bun's API that are used here. */
interface BunServer {
  readonly port: number
  requestIP(request: Request): { readonly address: string } | null
  stop(closeActiveConnections?: boolean): Promise<void>
}

declare const Bun: {
  serve(options: {
    hostname: string
    port: number
    idleTimeout: number
    maxRequestBodySize: number
    fetch(request: Request, server: BunServer): Promise<Response>
  }): BunServer
}

export function listen(handler: FetchHandler, { host, port }: ListenOptions): Listener {
  const server = Bun.serve({
    hostname: host,
    port,
    idleTimeout: KEEP_ALIVE_TIMEOUT,
    maxRequestBodySize: BODY_LIMIT,
    fetch: (request, { requestIP }) => handler(request, { peer: requestIP.call(server, request)?.address }),
  })
  return { port: server.port, close: () => server.stop(), kill: () => void server.stop(true) }
}
