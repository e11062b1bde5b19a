import { describe, expect, test } from 'vitest'
import { createSigner, createVerifier, inspectKey } from '../../src/index.ts'
import { bits, integer, nothing, objectId, sequence } from '../conformance/der.ts'
import { workspaceKey } from '../conformance/tokens.ts'
import { cpuTimeOf } from '../support/cpu-time.ts'

/** The largest keys that we read, in the forms that are most expensive to read. The bound is generous, because machines differ. */

const SIZE = 65_536
/** Milliseconds of CPU time. Quadratic work on 64 KiB takes seconds. */
const BOUND = 100

const fill = (unit: string): string => unit.repeat(Math.ceil(SIZE / unit.length)).slice(0, SIZE)
const number = 'A'.repeat(4000)
const numbers = { n: number, e: number, d: number, p: number, q: number, dp: number, dq: number, qi: number }

const texts: [title: string, text: string][] = [
  ['BEGIN lines', fill('-----BEGIN PRIVATE KEY-----\n')],
  ['BEGIN lines with other labels', fill('-----BEGIN A-----\n-----BEGIN B-----\n')],
  ['empty blocks', fill('-----BEGIN A-----\n-----END A-----\n')],
  ['blocks with short base64', fill('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')],
  ['an unterminated label', `-----BEGIN ${fill('A ')}`.slice(0, SIZE)],
  ['incomplete END lines', `-----BEGIN A-----${fill('-----END ')}`.slice(0, SIZE)],
  ['backslashes', fill('\\')],
  ['backslashes and r', fill('\\\\\\r')],
  ['escaped line breaks', fill('\\n')],
  ['spaces', fill(' ')],
  ['quotes', fill('"')],
  ['spaces inside base64', fill('AAAA    \n')],
  ['base64', fill('A')],
  ['base64 and padding', fill('A=')],
  ['base64 of base64', btoa(fill('A')).slice(0, SIZE)],
  ['NULs', fill('A\0')],
  ['nested JSON', fill('{"kty":')],
  ['JSON with many members', `{"kty":"RSA",${fill('"aaaa":"bbbb",')}`.slice(0, SIZE - 2)],
  ['a JWK of long numbers', JSON.stringify({ kty: 'RSA', ...numbers })],
  ['a JWK with one long modulus', JSON.stringify({ kty: 'RSA', n: `w${'A'.repeat(64_000)}`, e: 'AQAB' })],
  ['OpenSSH', `ssh-rsa ${fill('A')}`.slice(0, SIZE)],
]

const integerOf = (length: number) => integer(new Uint8Array(length).fill(0x7f))

const bytes: [title: string, bytes: Uint8Array][] = [
  ['zeros', new Uint8Array(SIZE)],
  ['SEQUENCE tags', new Uint8Array(SIZE).fill(0x30)],
  ['empty elements', sequence(...Array.from({ length: 32_000 }, nothing))],
  ['0xff', new Uint8Array(SIZE).fill(0xff)],
  ['NULs in UTF-16', Uint8Array.of(0xff, 0xfe, ...new Uint8Array(SIZE - 2))],
  ['a public key with numbers of 32,000 bytes', sequence(integerOf(32_000), integerOf(32_000))],
  ['a private key with numbers of 8000 bytes', sequence(integer(0), ...Array(8).fill(integerOf(8000)))],
  [
    'a long object identifier',
    sequence(sequence(objectId(`0.0${'.0'.repeat(60_000)}`)), bits(new Uint8Array())),
  ],
]

const costOf = (run: () => unknown) => cpuTimeOf(run, BOUND)

async function expectRejectedCheaply(run: () => Promise<unknown>): Promise<void> {
  const rejected = () => expect(run()).rejects.toMatchObject({ name: 'MembraneTokenError' })
  expect(await costOf(rejected)).toBeLessThan(BOUND)
}

async function expectCheap(key: string | Uint8Array): Promise<void> {
  await expectRejectedCheaply(() => createSigner({ workspaceKey, privateKey: key }))
  await expectRejectedCheaply(() => createVerifier({ workspaceKey, publicKey: key }))
  expect(await costOf(() => inspectKey(key))).toBeLessThan(BOUND)
}

describe.each<[string, string | Uint8Array]>([...texts, ...bytes])('64 KiB of %s', (_, key) => {
  test('as private key, as public key and for inspection', () => expectCheap(key))

  test('as secret', async () => {
    const run = () => createSigner({ workspaceKey, secret: key }).catch(() => undefined)
    expect(await costOf(run)).toBeLessThan(BOUND)
  })
})

describe('larger input is rejected unread', () => {
  test.each<[string, string | Uint8Array]>([
    ['text', fill('-----BEGIN A-----\n').repeat(150)],
    ['bytes', new Uint8Array(10_000_000).fill(0x30)],
  ])('ten megabytes of %s', async (_, key) => {
    await expectCheap(key)
    await expect(createSigner({ workspaceKey, privateKey: key })).rejects.toMatchObject({
      code: 'ERR_KEY_INVALID',
      message: expect.stringContaining('64 KiB'),
    })
  })

  test('a secret', async () => {
    for (const secret of ['x'.repeat(SIZE + 1), new Uint8Array(SIZE + 1)])
      await expect(createSigner({ workspaceKey, secret })).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' })
    for (const secret of ['x'.repeat(SIZE), new Uint8Array(SIZE)])
      await createSigner({ workspaceKey, secret })
  })
})
