import { describe, expect, test } from 'vitest'
import { apiKeys, createTokenEndpoint } from '../../src/endpoint.ts'
import { createSigner, createVerifier, inspectKey, inspectToken } from '../../src/index.ts'
import { readSettings, SETTINGS } from '../../src/service.ts'
import { sha256 } from '../conformance/endpoint-harness.ts'
import { secret, workspaceKey } from '../conformance/tokens.ts'
import { cpuTimeOf } from '../support/cpu-time.ts'

/**
 * Feeds repeated fragments to everything that reads input. Four times the input must not cost much more than four times
 * as much; with a quadratic pattern it costs sixteen times. Because one measurement can be slow by chance, a case fails
 * only if its cost is over the bound and every try shows the growth.
 */

const fragments = [
  ...[
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
    'a.',
    '"a":1,',
  ],
  ...['<', '{{', '${', 'Bearer ', '=', '" ', 'eyJ.', '://', '\\n', ';q=0,'],
]

const TRIES = 3

type Read = (input: string) => unknown

/** CPU time. Rejected input counts too. */
function cost(read: Read, input: string, enough?: number): Promise<number> {
  const run = () =>
    Promise.resolve(input)
      .then(read)
      .catch(() => {})
  return cpuTimeOf(run, enough, TRIES)
}

async function grows(read: Read, small: string, large: string, bound: number): Promise<boolean> {
  for (let tried = 0; tried < TRIES; tried++) {
    const time = await cost(read, large, bound)
    if (time <= bound || time / (await cost(read, small)) < 6) return false
  }
  return true
}

const verifier = await createVerifier({ workspaceKey, secret })
const signer = await createSigner({ workspaceKey, secret })
const endpoint = createTokenEndpoint({
  signer,
  authenticate: apiKeys({ keys: [{ name: 'backend', sha256: await sha256('key'), scopes: ['customer'] }] }),
})

function post(body: string, headers: Record<string, string> = {}): Promise<Response> {
  return endpoint(
    new Request('https://tokens.example/api/membrane-token', {
      method: 'POST',
      body,
      headers: { Authorization: 'Bearer key', 'Content-Type': 'application/json', ...headers },
    }),
  )
}

const readers: Record<string, Read> = {
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
  'the RSA JWK of a signer': (input) => {
    const numbers = { n: input, d: input, p: input, q: input, dp: input, dq: input, qi: input }
    return createSigner({ workspaceKey, privateKey: { kty: 'RSA', e: 'AQAB', ...numbers } })
  },
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
}

const requestReaders: Record<string, Read> = {
  'a request body': (input) => post(input),
  'a string in a request body': (input) => post(`{"id":"${input}`),
  Authorization: (input) => post('{}', { Authorization: input }),
  Accept: (input) => post('{}', { Accept: input }),
  'Content-Type': (input) => post('{}', { 'Content-Type': input }),
  Origin: (input) => post('{}', { Origin: input }),
}

// Sizes in characters: four times as many are just within the limit, 64 KiB or, for a request, 16 KiB.
// Bounds in milliseconds of CPU time: linear work takes a tenth of it on a slow machine.
describe.each([
  ...Object.entries(readers).map(([name, read]) => ({ name, read, size: 15_000, bound: 250 })),
  ...Object.entries(requestReaders).map(([name, read]) => ({ name, read, size: 4000, bound: 60 })),
])('$name', ({ read, size, bound }) => {
  test.each(fragments)('of %j costs no more than in proportion', async (fragment) => {
    const repeat = (length: number): string => `${fragment.repeat(length / fragment.length)}!`
    expect(await grows(read, repeat(size), repeat(4 * size), bound)).toBe(false)
  })
})
