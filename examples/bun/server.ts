import { createSigner } from 'membrane-token'
import { apiKeys, createTokenEndpoint } from 'membrane-token/endpoint'

const { MEMBRANE_WORKSPACE_KEY = '', MEMBRANE_WORKSPACE_SECRET, API_KEY_SHA256 = '', PORT } = process.env

const endpoint = createTokenEndpoint({
  signer: await createSigner({ workspaceKey: MEMBRANE_WORKSPACE_KEY, secret: MEMBRANE_WORKSPACE_SECRET }),
  authenticate: apiKeys({ keys: [{ name: 'backend', sha256: API_KEY_SHA256, scopes: ['customer'] }] }),
  maxExpiresIn: '24h',
})

const server = Bun.serve({ port: PORT ?? 3000, routes: { '/api/membrane-token': endpoint } })

console.log(`Listening on ${server.url}`)
