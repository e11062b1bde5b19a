import process from 'node:process'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { createTokenServiceFromEnv } from 'membrane-token/service'

const service = createTokenServiceFromEnv(process.env)
const listener = getRequestListener(
  (request, { incoming }) => service(request, { clientAddress: incoming.socket.remoteAddress }),
  { overrideGlobalObjects: false },
)

const app = express()
app.disable('x-powered-by')

// Mount it before any body parser, because the service reads the body itself.
app.all(
  [
    '/api/membrane-token',
    '/api/membrane-admin-token',
    '/oauth/token',
    '/.well-known/oauth-authorization-server',
    '/.well-known/jwks.json',
    '/health',
    '/ready',
  ],
  (request, response) => listener(request, response),
)

app.use(express.json())
app.get('/', (_, response) => void response.type('text').send('Your app'))

const server = app.listen(Number(process.env.PORT ?? 8080), () => {
  console.log('Listening on', server.address())
})
