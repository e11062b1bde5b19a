import { Hono } from 'hono'
import { createTokenServiceFromEnv } from 'membrane-token/service'

const service = createTokenServiceFromEnv(process.env)

const app = new Hono()
app.get('/', (c) => c.text('Your app'))

// The service handles all methods itself and returns 405 for unsupported ones.
for (const path of [
  '/api/membrane-token',
  '/api/membrane-admin-token',
  '/oauth/token',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
  '/health',
  '/ready',
]) {
  // On Workers: service(c.req.raw, c.executionCtx), with a service created from c.env.
  app.all(path, (c) => service(c.req.raw))
}

export default app
