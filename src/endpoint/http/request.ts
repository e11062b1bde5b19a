import { invalidOption } from '../../options.ts'

/**
 * A handler for `Deno.serve`, Bun, Next.js, Hono and Workers.
 *
 * @param context What the runtime passes besides the request; `waitUntil` and `clientAddress` are used if present
 */
export type RequestHandler = (request: Request, context?: object) => Promise<Response>

/**
 * Express and Fastify pass requests of their own, with which every later step would fail in ways hard to explain.
 *
 * @throws `ERR_OPTION_INVALID`
 */
export function checkRequest(request: unknown): void {
  const { headers, url, method } = Object(request) as Partial<Request>
  if (typeof headers?.get === 'function' && typeof url === 'string' && typeof method === 'string') return
  throw invalidOption(
    'The handler takes a Fetch API Request. For Node’s http module, Express and Fastify, wrap it with getRequestListener of @hono/node-server: app.all("/api/membrane-token", getRequestListener(handler)), before any body parser; in Fastify call the listener with request.raw and reply.raw after reply.hijack().',
    'request',
  )
}
