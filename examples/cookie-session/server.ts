import { createServer } from 'node:http'
import process from 'node:process'
import { getRequestListener } from '@hono/node-server'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { createSigner } from 'membrane-token'
import { createTokenService } from 'membrane-token/service'
import { cookieSession } from './authenticator.ts'

const port = Number(process.env.PORT ?? 8080)

// Your app's better-auth instance; here with an in-memory database and passwords.
const auth = betterAuth({
  baseURL: `http://localhost:${port}`,
  secret: process.env.BETTER_AUTH_SECRET ?? '',
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
})

const service = createTokenService({
  signer: await createSigner({
    workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
    secret: process.env.MEMBRANE_WORKSPACE_SECRET,
  }),
  authenticate: cookieSession(async (headers) => {
    const found = await auth.api.getSession({ headers })
    if (!found) return null
    const { user, session } = found
    return { userId: user.id, customer: { id: user.id, name: user.name }, expiresAt: session.expiresAt }
  }),
})

const listener = getRequestListener(
  (request) =>
    new URL(request.url).pathname.startsWith('/api/auth/') ? auth.handler(request) : service(request),
  { overrideGlobalObjects: false },
)

const server = createServer(listener).listen(port, () => console.log('Listening on', server.address()))
