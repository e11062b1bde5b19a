import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import { type Algorithm, verifyMembraneRequest } from '../../src/index.ts'
import { algorithms } from '../conformance/tokens.ts'
import { anything, base64url, check, claims, expectOurError, header, quote } from './arbitraries.ts'
import { now, secret, signTokens, workspaceKey } from './genuine-tokens.ts'

let tokens: Map<Algorithm, string>

beforeAll(async () => {
  tokens = await signTokens(algorithms)
})

describe('requests of Membrane', () => {
  // What a header can carry: no line breaks and nothing beyond one byte.
  const headerValue = fc.oneof(
    fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) }),
    fc.tuple(header, claims).map((parts) => [...parts.map(quote), 'x'].map(base64url).join('.')),
    fc.constantFrom(...algorithms).map((algorithm) => tokens.get(algorithm)!),
  )
  const headerName = fc.constantFrom('X-Membrane-Token', 'x-integration-app-token', 'authorization')

  test('any headers are refused, with our error', () =>
    check(fc.array(fc.tuple(headerName, headerValue), { maxLength: 4 }), async (entries) => {
      const headers = new Headers()
      for (const [name, value] of entries) headers.append(name, value)
      const request = new Request('https://app.example.com/hook', { headers })
      await expectOurError(verifyMembraneRequest(headers, { workspaceKey, secret, now }))
      await expectOurError(verifyMembraneRequest(request, { workspaceKey, secret, now }))
    }))

  const options = { workspaceKey, secret, now }
  const bareHeaders = fc.dictionary(headerName, fc.oneof(headerValue, fc.array(headerValue)))

  test('any value in the place of a request gives our error', () =>
    check(fc.oneof(anything, fc.record({ headers: fc.oneof(bareHeaders, anything) })), (value) =>
      expectOurError(verifyMembraneRequest(value as Request, options)),
    ))

  test('any value in the place of the options gives our error', () =>
    check(anything, (value) => expectOurError(verifyMembraneRequest(new Headers(), value as typeof options))))
})
