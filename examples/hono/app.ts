import { Hono } from 'hono'
import { createTokenServiceFromEnv } from 'membrane-token/service'

const service = createTokenServiceFromEnv(process.env)

const app = new Hono()
app.get('/', (c) => c.text('The app as it was'))

// The service knows its methods, and answers 405 to the others.
for (const path of [
  '/api/membrane-token',
  '/api/membrane-admin-token',
  '/oauth/token',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
  '/health',
  '/ready',
]) {
  // On Workers: service(c.req.raw, c.executionCtx), with a service made of c.env.
  app.all(path, (c) => service(c.req.raw))
}

export default app
