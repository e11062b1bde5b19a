import { invalidOption } from '../../options.ts'

/**
 * A request handler for Workers, `Deno.serve`, `Bun.serve`, Next.js and Hono.
 *
 * @param context What the runtime passes besides the request; `waitUntil` and `clientAddress` are used if present
 */
export type RequestHandler = (request: Request, context?: object) => Promise<Response>

/**
 * Rejects the request objects of Node, Express and Fastify, with which later steps would fail confusingly.
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
