import { expect, test } from 'vitest'
import { refusal } from '../../src/endpoint.ts'
import { ORIGIN, service } from './harness.ts'

test.each([{}, { key: [] }, { keys: {} }, [], null])(
  'additionalKeys %o are not a key set',
  (additionalKeys) => {
    expect(() => service({ additionalKeys: additionalKeys as never })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION_INVALID', option: 'additionalKeys' }),
    )
  },
)

test('a rejection with custom headers keeps the CORS headers', async () => {
  const handler = service({
    authenticate: async () => {
      throw refusal('ERR_CALLER_FORBIDDEN', 'No.', { Vary: 'Accept', 'Access-Control-Allow-Origin': '*' })
    },
    allowedOrigins: ['https://app.example.com'],
  })
  const headers = { Origin: 'https://app.example.com' }
  const response = await handler(new Request(`${ORIGIN}/api/membrane-token`, { headers }))
  expect(response.status).toBe(403)
  expect(response.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example.com')
  expect(response.headers.get('Vary')).toBe('Accept, Origin')
})
