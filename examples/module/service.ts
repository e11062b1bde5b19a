import { createServer } from 'node:http'
import process from 'node:process'
import { getRequestListener } from '@hono/node-server'
import { createTokenServiceFromEnv } from 'membrane-token/service'

// All settings come from the environment; GET /health names the ones at fault.
const handler = createTokenServiceFromEnv(process.env)

createServer(getRequestListener((request) => handler(request))).listen(8080)
