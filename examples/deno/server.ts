import { createSigner } from 'membrane-token'
import { apiKeys, createTokenEndpoint } from 'membrane-token/endpoint'

const setting = (name: string) => Deno.env.get(name) ?? ''

const endpoint = createTokenEndpoint({
  signer: await createSigner({
    workspaceKey: setting('MEMBRANE_WORKSPACE_KEY'),
    secret: setting('MEMBRANE_WORKSPACE_SECRET'),
  }),
  authenticate: apiKeys({
    keys: [{ name: 'backend', sha256: setting('API_KEY_SHA256'), scopes: ['customer'] }],
  }),
})

Deno.serve({ port: Number(setting('PORT') || 8000) }, (request) =>
  new URL(request.url).pathname === '/api/membrane-token'
    ? endpoint(request)
    : new Response(null, { status: 404 }),
)
