import { createSigner } from 'membrane-token'
import { apiKeys, createTokenEndpoint, oneOf, sessionJwt } from 'membrane-token/endpoint'

export const runtime = 'edge' // or 'nodejs', which Next.js 16 prefers: the code is the same

async function createHandler() {
  const signer = await createSigner({
    workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
    secret: process.env.MEMBRANE_WORKSPACE_SECRET,
  })
  const authenticate = oneOf(
    // Users of your app get the token of the customer that their session names …
    sessionJwt({
      issuer: process.env.SESSION_ISSUER ?? '',
      audience: process.env.SESSION_AUDIENCE ?? '',
      customerId: 'org_id',
    }),
    // … and your servers that of the customer they name.
    apiKeys({ keys: [{ name: 'backend', sha256: process.env.API_KEY_SHA256 ?? '', scopes: ['customer'] }] }),
  )
  return createTokenEndpoint({ signer, authenticate, maxExpiresIn: '24h' })
}

// With the first request and not before: `next build` loads this file too, and has no secrets.
let handler: ReturnType<typeof createHandler> | undefined

export async function GET(request: Request): Promise<Response> {
  handler ??= createHandler()
  return (await handler)(request)
}

export const POST = GET
