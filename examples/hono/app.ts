import { Hono } from 'hono'
import { createSigner } from 'membrane-token'
import { apiKeys, createTokenEndpoint } from 'membrane-token/endpoint'

const { MEMBRANE_WORKSPACE_KEY = '', MEMBRANE_WORKSPACE_SECRET, API_KEY_SHA256 = '' } = process.env

const endpoint = createTokenEndpoint({
  signer: await createSigner({ workspaceKey: MEMBRANE_WORKSPACE_KEY, secret: MEMBRANE_WORKSPACE_SECRET }),
  authenticate: apiKeys({ keys: [{ name: 'backend', sha256: API_KEY_SHA256, scopes: ['customer'] }] }),
  maxExpiresIn: '24h',
})

const app = new Hono()

app.get('/', (c) => c.text('The app as it was'))
// The endpoint knows its methods, and answers 405 to the others.
app.all('/api/membrane-token', (c) => endpoint(c.req.raw))

export default app
