import { createServer } from 'node:http'
import process from 'node:process'
import { getRequestListener } from '@hono/node-server'
import { createTokenServiceFromEnv } from 'membrane-token/service'

const service = createTokenServiceFromEnv(process.env)

// Converts node:http requests to Fetch API requests.
const listener = getRequestListener(
  (request, { incoming }) => service(request, { clientAddress: incoming.socket.remoteAddress }),
  { overrideGlobalObjects: false },
)

const server = createServer(listener).listen(Number(process.env.PORT ?? 8080), () => {
  console.log('Listening on', server.address())
})
