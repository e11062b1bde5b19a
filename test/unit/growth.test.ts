import { describe, expect, test } from 'vitest'
import { apiKeys, createTokenEndpoint } from '../../src/endpoint.ts'
import { createSigner, createVerifier, inspectKey, inspectToken } from '../../src/index.ts'
import { readSettings, SETTINGS } from '../../src/service.ts'
import { secret, workspaceKey } from '../conformance/tokens.ts'
import { cpuTimeOf } from '../support/cpu-time.ts'

/**
 * Feeds repeated fragments to everything that reads input, and fails where four times the input costs far more than
 * four times as much: a quadratic pattern makes it sixteen. One measurement can be slow by chance, so a case fails only
 * if its cost is far over what any machine needs, and every try shows the growth.
 */

const fragments = [
  '\\"',
  '"',
  '\\',
  '{',
  '[',
  '{"a":',
  '-----BEGIN A-----',
  '%41',
  ' ',
  '\t',
  '.',
  ',',
  'a',
].concat('a.', '"a":1,', '<', '{{', '${', 'Bearer ', '=', '" ', 'eyJ.', '://', '\\n', ';q=0,')

/** Characters. Four times as much is just within each limit: 16 KiB for a request, 64 KiB for everything else. */
const sizeFor = (reader: string): number => (requestParts.includes(reader) ? 4_000 : 15_000)
const requestParts = [
  'a request body',
  'a string in a request body',
  'Authorization',
  'Accept',
  'Content-Type',
  'Origin',
]
/** Milliseconds of CPU time of a defect; what is linear takes a tenth of it on a slow machine. */
const boundFor = (reader: string): number => (requestParts.includes(reader) ? 60 : 250)
const TRIES = 3

const cost = (read: (input: string) => unknown, input: string, enough?: number): Promise<number> =>
  // A rejection is a response as well.
  cpuTimeOf(
    async () =>
      Promise.resolve(input)
        .then(read)
        .catch(() => {}),
    enough,
    3,
  )

async function grows(read: (input: string) => unknown, inputs: [string, string], bound: number) {
  for (let tried = 0; tried < TRIES; tried++) {
    const large = await cost(read, inputs[1], bound)
    if (large <= bound) return false
    if (large / (await cost(read, inputs[0])) < 6) return false
  }
  return true
}

const verifier = await createVerifier({ workspaceKey, secret })
const signer = await createSigner({ workspaceKey, secret })
const digest = [...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('key')))]
const sha256 = digest.map((byte) => byte.toString(16).padStart(2, '0')).join('')
const endpoint = createTokenEndpoint({
  signer,
  authenticate: apiKeys({ keys: [{ name: 'backend', sha256, scopes: ['customer'] }] }),
})
const url = 'https://tokens.example/api/membrane-token'

function post(body: string, headers: Record<string, string> = {}): Promise<Response> {
  return endpoint(
    new Request(url, {
      method: 'POST',
      body,
      headers: { Authorization: 'Bearer key', 'Content-Type': 'application/json', ...headers },
    }),
  )
}

const readers: Record<string, (input: string) => unknown> = {
  inspectToken: (input) => inspectToken(input),
  'inspectToken, the claims': (input) =>
    inspectToken(
      `e30.${btoa(JSON.stringify({ id: input, iss: input, name: input })).replace(/=+$/, '')}.AAAA`,
    ),
  verify: (input) => verifier.verify(input),
  'the secret of a signer': (input) => createSigner({ workspaceKey, secret: input }),
  'the private key of a signer': (input) => createSigner({ workspaceKey, privateKey: input }),
  'the public key of a verifier': (input) => createVerifier({ workspaceKey, publicKey: input }),
  'the elliptic curve JWK of a signer': (input) =>
    createSigner({
      workspaceKey,
      privateKey: { kty: 'EC', crv: 'P-256', d: input, x: input, y: input, alg: input },
    }),
  'the RSA JWK of a signer': (input) =>
    createSigner({
      workspaceKey,
      privateKey: {
        kty: 'RSA',
        n: input,
        e: 'AQAB',
        d: input,
        p: input,
        q: input,
        dp: input,
        dq: input,
        qi: input,
      },
    }),
  'the key set of a verifier': (input) =>
    createVerifier({
      workspaceKey,
      jwks: {
        keys: [
          { kty: 'EC', crv: 'P-256', x: input, y: input, kid: input },
          { kty: 'RSA', n: input, e: input, kid: input },
        ],
      },
    }),
  inspectKey: (input) => inspectKey(input),
  'the values of all settings': (input) =>
    readSettings(Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, input]))),
  'the name of a variable': (input) => readSettings({ [input]: 'value' }),
  'the name of an option': (input) => inspectToken('', { [input]: 1 } as object),
  'the id of a customer': (input) => signer.signCustomerToken({ id: input }),
  'a request body': (input) => post(input),
  'a string in a request body': (input) => post(`{"id":"${input}`),
  Authorization: (input) => post('{}', { Authorization: input }),
  Accept: (input) => post('{}', { Accept: input }),
  'Content-Type': (input) => post('{}', { 'Content-Type': input }),
  Origin: (input) => post('{}', { Origin: input }),
}

describe.each(Object.entries(readers))('%s', (name, read) => {
  const size = sizeFor(name)
  test.each(fragments)('of %j grows no faster than its input', async (fragment) => {
    const repeat = (length: number): string => `${fragment.repeat(length / fragment.length)}!`
    expect(await grows(read, [repeat(size), repeat(4 * size)], boundFor(name))).toBe(false)
  })
})
