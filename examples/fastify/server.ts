import process from 'node:process'
import { getRequestListener } from '@hono/node-server'
import Fastify from 'fastify'
import { createTokenServiceFromEnv } from 'membrane-token/service'

const service = createTokenServiceFromEnv(process.env)
const listener = getRequestListener(
  (request, { incoming }) => service(request, { clientAddress: incoming.socket.remoteAddress }),
  { overrideGlobalObjects: false },
)

const app = Fastify()
app.get('/', async () => 'Your app')

app.register(async (scope) => {
  // Runs before Fastify parses the body, because the service reads the body itself.
  scope.addHook('onRequest', async (request, reply) => {
    reply.hijack()
    await listener(request.raw, reply.raw)
  })
  for (const path of [
    '/api/membrane-token',
    '/api/membrane-admin-token',
    '/oauth/token',
    '/.well-known/oauth-authorization-server',
    '/.well-known/jwks.json',
    '/health',
    '/ready',
  ]) {
    scope.all(path, () => {})
  }
})

await app.listen({ port: Number(process.env.PORT ?? 8080) })
console.log('Listening on', app.server.address())
