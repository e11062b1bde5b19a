import { describe, expect, test } from 'vitest'
import { createSigner, createVerifier, inspectKey } from '../../src/index.ts'
import { cpuTimeOf } from '../support/cpu-time.ts'

/** The largest inputs that are read at all, in the shapes that cost most. Bounds are generous: machines differ. */

const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
const SIZE = 65_536
/** Milliseconds of CPU time. Quadratic work on 64 KiB takes seconds. */
const BOUND = 100

const fill = (unit: string): string => unit.repeat(Math.ceil(SIZE / unit.length)).slice(0, SIZE)
const number = 'A'.repeat(4000)

const texts: [title: string, text: string][] = [
  ['BEGIN lines', fill('-----BEGIN PRIVATE KEY-----\n')],
  ['BEGIN lines of other labels', fill('-----BEGIN A-----\n-----BEGIN B-----\n')],
  ['blocks that are empty', fill('-----BEGIN A-----\n-----END A-----\n')],
  ['blocks with some base64', fill('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')],
  ['a label without end', `-----BEGIN ${fill('A ')}`.slice(0, SIZE)],
  ['an END that does not come', `-----BEGIN A-----${fill('-----END ')}`.slice(0, SIZE)],
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
  [
    'a JWK of long numbers',
    JSON.stringify({
      kty: 'RSA',
      n: number,
      e: number,
      d: number,
      p: number,
      q: number,
      dp: number,
      dq: number,
      qi: number,
    }),
  ],
  ['a modulus as long as the text', JSON.stringify({ kty: 'RSA', n: `w${'A'.repeat(64_000)}`, e: 'AQAB' })],
  ['OpenSSH', `ssh-rsa ${fill('A')}`.slice(0, SIZE)],
]

/** DER by tag and content. */
function der(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content
  const size =
    length < 0x80
      ? [length]
      : length < 0x10000
        ? [0x82, length >> 8, length & 0xff]
        : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
  return Uint8Array.of(tag, ...(length >= 0x80 && length < 0x100 ? [0x81, length] : size), ...content)
}

const integers = (...lengths: number[]): Uint8Array =>
  Uint8Array.from(lengths.flatMap((length) => [...der(2, new Uint8Array(length).fill(0x7f))]))

const bytes: [title: string, bytes: Uint8Array][] = [
  ['zeros', new Uint8Array(SIZE)],
  ['tags of SEQUENCE', new Uint8Array(SIZE).fill(0x30)],
  [
    'empty elements',
    der(
      0x30,
      new Uint8Array(SIZE - 8).fill(0x05).map((byte, index) => (index % 2 ? 0 : byte)),
    ),
  ],
  ['0xff', new Uint8Array(SIZE).fill(0xff)],
  ['UTF-16 of nothing', Uint8Array.of(0xff, 0xfe, ...new Uint8Array(SIZE - 2))],
  ['a public key of 32,000 bytes', der(0x30, integers(32_000, 32_000))],
  [
    'a private key of 8 numbers of 8000 bytes',
    der(0x30, Uint8Array.of(2, 1, 0, ...integers(...Array(8).fill(8000)))),
  ],
  [
    'a long object identifier',
    der(0x30, Uint8Array.of(...der(0x30, der(6, new Uint8Array(60_000))), 3, 1, 0)),
  ],
]

const costOf = (run: () => unknown) => cpuTimeOf(run, BOUND)

const refused = (run: () => Promise<unknown>) => (): Promise<void> =>
  run().then(
    () => {
      throw new Error('it was accepted')
    },
    (error: { name: string }) => {
      expect(error.name).toBe('MembraneTokenError')
    },
  )

describe.each([...texts, ...bytes])('64 KiB of %s', (_, input) => {
  const key = input as string

  test('as private key, public key and for inspection', async () => {
    expect(await costOf(refused(() => createSigner({ workspaceKey, privateKey: key })))).toBeLessThan(BOUND)
    expect(await costOf(refused(() => createVerifier({ workspaceKey, publicKey: key })))).toBeLessThan(BOUND)
    expect(await costOf(() => inspectKey(key))).toBeLessThan(BOUND)
  })

  test('as secret', async () => {
    const run = () => createSigner({ workspaceKey, secret: key }).catch(() => undefined)
    expect(await costOf(run)).toBeLessThan(BOUND)
  })
})

describe('larger inputs are rejected unread', () => {
  const large = 10_000_000

  test.each<[string, string | Uint8Array]>([
    ['text', '-----BEGIN A-----\n'.repeat(large / 18)],
    ['bytes', new Uint8Array(large).fill(0x30)],
  ])('ten megabytes of %s', async (_, key) => {
    const run = refused(() => createSigner({ workspaceKey, privateKey: key }))
    expect(await costOf(run)).toBeLessThan(BOUND)
    expect(await costOf(refused(() => createVerifier({ workspaceKey, publicKey: key })))).toBeLessThan(BOUND)
    expect(await costOf(() => inspectKey(key))).toBeLessThan(BOUND)
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
