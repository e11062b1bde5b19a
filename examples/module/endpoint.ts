import { createSigner } from 'membrane-token'
import { apiKeys, createTokenEndpoint, oneOf, sessionJwt } from 'membrane-token/endpoint'

const signer = await createSigner({
  workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
  secret: process.env.MEMBRANE_WORKSPACE_SECRET,
})

const authenticate = oneOf(
  // Users of your app get a token for the customer that their session names.
  sessionJwt({
    issuer: 'https://example.eu.auth0.com/',
    audience: 'https://api.example.com',
    customerId: 'org_id',
  }),
  // Your servers get a token for the customer that they name in the request.
  apiKeys({ keys: [{ name: 'backend', sha256: process.env.API_KEY_SHA256 ?? '', scopes: ['customer'] }] }),
)

export const GET = createTokenEndpoint({ signer, authenticate, maxExpiresIn: '24h' })
export const POST = GET
