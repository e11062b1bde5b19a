import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import {
  BODY_LIMIT,
  type FetchHandler,
  HEADERS_TIMEOUT,
  KEEP_ALIVE_TIMEOUT,
  type Listener,
  type ListenOptions,
  REQUEST_TIMEOUT,
} from './listener.ts'

export async function listen(handler: FetchHandler, { host, port }: ListenOptions): Promise<Listener> {
  const respond = getRequestListener(
    (request, { incoming }) => handler(request, { peer: (incoming as IncomingMessage).socket.remoteAddress }),
    { overrideGlobalObjects: false },
  )
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT * 1000,
      requestTimeout: REQUEST_TIMEOUT * 1000,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT * 1000,
    },
    (incoming, outgoing) => {
      if (Number(incoming.headers['content-length'] ?? 0) > BODY_LIMIT) {
        outgoing.writeHead(413, { Connection: 'close' }).end()
        return
      }
      void respond(incoming, outgoing)
    },
  )
  server.listen(port, host)
  // `once` rejects if the server emits an error first.
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      return closed
    },
    kill: () => server.closeAllConnections(),
  }
}
