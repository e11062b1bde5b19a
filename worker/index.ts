import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { type RequestIdVariables, requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { CLOSED_HEADERS, errorResponse, problemResponse } from '../src/endpoint/problem.ts'
import { openService, type Service } from './service.ts'

type WorkerEnv = {
  Bindings: Record<string, unknown>
  Variables: RequestIdVariables & { service: Service }
}

const app = new Hono<WorkerEnv>()

app.use(requestId())
app.use(async (c, next) => {
  await next()
  // Set once more, because a header set before is lost when a handler answers with a Response of its own.
  c.header('X-Request-Id', c.get('requestId'))
})
app.use(
  secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    xFrameOptions: 'DENY',
  }),
)
app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      problemResponse('ERR_METHOD_NOT_ALLOWED', `Use ${methods.join(' or ')}.`, c.get('requestId'), {
        Allow: methods.join(', '),
      }),
  }),
)

app.get('/healthz', async (c) => {
  const { faults } = await openService(c.env)
  if (!faults) return c.json({ status: 'ok' }, 200, CLOSED_HEADERS)
  const detail = faults.map(({ setting, detail }) => `${setting} ${detail}`).join(' ')
  return problemResponse('ERR_SETTING_INVALID', detail, c.get('requestId'))
})

// From here on nothing is served, not even a 404, while the settings are wrong.
app.use(async (c, next) => {
  const { service } = await openService(c.env)
  if (!service) {
    return problemResponse(
      'ERR_SETTING_INVALID',
      'This service is not set up yet; /healthz names the setting at fault.',
      c.get('requestId'),
    )
  }
  c.set('service', service)
  return next()
})

app.post('/api/membrane-token', (c) =>
  c.get('service').customerToken(withRequestId(c.req.raw, c.get('requestId'))),
)

app.notFound((c) => problemResponse('ERR_NOT_FOUND', 'There is nothing at this address.', c.get('requestId')))
app.onError((error, c) => errorResponse(error, c.get('requestId')))

export default app

// The endpoint knows no context, only requests.
function withRequestId(request: Request, id: string): Request {
  if (request.headers.get('X-Request-Id') === id) return request
  const headers = new Headers(request.headers)
  headers.set('X-Request-Id', id)
  return new Request(request, { headers })
}
