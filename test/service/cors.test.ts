import { expect, test } from 'vitest'
import { refusal } from '../../src/endpoint.ts'
import { createSigner } from '../../src/index.ts'
import { createTokenService } from '../../src/service.ts'

test('a rejection with custom headers keeps the CORS headers', async () => {
  const handler = createTokenService({
    signer: await createSigner({ workspaceKey: 'workspace', secret: 's'.repeat(64) }),
    authenticate: async () => {
      throw refusal('ERR_CALLER_FORBIDDEN', 'No.', { Vary: 'Accept', 'Access-Control-Allow-Origin': '*' })
    },
    allowedOrigins: ['https://app.example.com'],
  })
  const headers = { Origin: 'https://app.example.com' }
  const response = await handler(new Request('https://service.example.com/api/membrane-token', { headers }))
  expect(response.status).toBe(403)
  expect(response.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example.com')
  expect(response.headers.get('Vary')).toBe('Accept, Origin')
})
