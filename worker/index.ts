import { type Context, Hono, type Next } from 'hono'
import { cors } from 'hono/cors'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { secureHeaders } from 'hono/secure-headers'
import { CLOSED_HEADERS, problemResponse, requestIdOf, setRequestId } from '../src/endpoint/http/problem.ts'
import { openService, type Service } from './service.ts'

type WorkerEnv = {
  Bindings: Record<string, unknown>
  Variables: { requestId: string; service: Service }
}

const app = new Hono<WorkerEnv>()

// Headers are set on the finished answer: those set before it make Hono copy the whole of it, which costs a tenth.
app.use(async (c, next) => {
  const id = requestIdOf(c.req.raw)
  setRequestId(c.req.raw, id)
  c.set('requestId', id)
  await next()
  c.res.headers.set('X-Request-Id', id)
})
app.use(
  secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"] },
    strictTransportSecurity: 'max-age=31536000; includeSubDomains',
    xFrameOptions: 'DENY',
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

const answerPreflight = cors({
  // Only origins that have been found on the list come here.
  origin: (origin) => origin,
  allowMethods: ['GET', 'POST'],
  allowHeaders: ['Authorization', 'Content-Type', 'X-Request-Id'],
  maxAge: 600,
})

async function answerOrigin(c: Context, next: Next, origin: string): Promise<undefined> {
  await next()
  const { headers } = c.res
  headers.set('Access-Control-Allow-Origin', origin)
  headers.set('Access-Control-Expose-Headers', 'X-Request-Id,Retry-After,Date,WWW-Authenticate')
  headers.append('Vary', 'Origin')
}

// Pages of other origins get nothing unless they are on the list, and no page gets an admin token.
app.use('/api/*', async (c, next) => {
  const origin = c.req.header('Origin')
  // Images and the like come without an origin, but browsers say that they are of another site.
  if (origin === undefined && !/^(cross|same)-site$/.test(c.req.header('Sec-Fetch-Site') ?? '')) return next()
  const { allowedOrigins } = c.get('service')
  const isAdmin = c.req.path === '/api/membrane-admin-token'
  if (!isAdmin && origin !== undefined && allowedOrigins.includes(origin)) {
    return c.req.method === 'OPTIONS' ? answerPreflight(c, next) : answerOrigin(c, next, origin)
  }
  if (!isAdmin && origin === new URL(c.req.url).origin) return next()
  const detail = isAdmin
    ? 'Admin tokens are for servers, and no page may ask for one.'
    : 'Pages of this origin may not ask here; put it into ALLOWED_ORIGINS if they should.'
  return problemResponse('ERR_ORIGIN_FORBIDDEN', detail, c.get('requestId'))
})

app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      problemResponse('ERR_METHOD_NOT_ALLOWED', `Use ${methods.join(' or ')}.`, c.get('requestId'), {
        Allow: methods.join(', '),
      }),
  }),
)

// The endpoints say themselves which methods they take.
app.all('/api/membrane-token', (c) => c.get('service').customerToken(c.req.raw))
app.all('/api/membrane-admin-token', (c) => c.get('service').adminToken(c.req.raw))
app.get('/.well-known/jwks.json', (c) =>
  c.body(c.get('service').keys, 200, {
    'Content-Type': 'application/jwk-set+json',
    'Cache-Control': 'public, max-age=300',
    'X-Content-Type-Options': 'nosniff',
  }),
)

app.notFound((c) => problemResponse('ERR_NOT_FOUND', 'There is nothing at this address.', c.get('requestId')))
app.onError((error, c) => {
  const id = c.get('requestId')
  // Only its name: the message of an unforeseen error may quote a key or a token.
  // biome-ignore lint/suspicious/noConsole: the one line that leads from a request id to a failure nobody foresaw
  console.error(JSON.stringify({ requestId: id, outcome: 'failed', code: 'ERR_INTERNAL', error: error.name }))
  return problemResponse('ERR_INTERNAL', 'Something went wrong on the server.', id)
})

export default app
