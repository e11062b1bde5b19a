import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import {
  type Algorithm,
  createRequestVerifier,
  type RequestVerifier,
  type RequestVerifierOptions,
} from '../../src/index.ts'
import { algorithms, secret, workspaceKey } from '../conformance/tokens.ts'
import {
  anything,
  base64url,
  check,
  claims,
  expectOurError,
  header,
  now,
  quote,
  signTokens,
} from './arbitraries.ts'

let tokens: Map<Algorithm, string>
let verifier: RequestVerifier

beforeAll(async () => {
  tokens = await signTokens(algorithms)
  verifier = await createRequestVerifier({ workspaceKey, secret, now })
})

describe('requests of Membrane', () => {
  // Header values have no line breaks, and one byte for each character.
  const headerValue = fc.oneof(
    fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) }),
    fc.tuple(header, claims).map((parts) => [...parts.map(quote), 'x'].map(base64url).join('.')),
    fc.constantFrom(...algorithms).map((algorithm) => tokens.get(algorithm)!),
  )
  const headerName = fc.constantFrom('X-Membrane-Token', 'x-integration-app-token', 'authorization')

  test('any headers are rejected with our error', () =>
    check(fc.array(fc.tuple(headerName, headerValue), { maxLength: 4 }), async (entries) => {
      const headers = new Headers()
      for (const [name, value] of entries) headers.append(name, value)
      const request = new Request('https://app.example.com/hook', { headers })
      await expectOurError(verifier.verify(headers))
      await expectOurError(verifier.verify(request))
    }))

  const bareHeaders = fc.dictionary(headerName, fc.oneof(headerValue, fc.array(headerValue)))

  test('any value as the request is rejected with our error', () =>
    check(fc.oneof(anything, fc.record({ headers: fc.oneof(bareHeaders, anything) })), (value) =>
      expectOurError(verifier.verify(value as Request)),
    ))

  test('any value as the options is rejected with our error', () =>
    check(anything, (value) => expectOurError(createRequestVerifier(value as RequestVerifierOptions))))
})
