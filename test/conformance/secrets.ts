import type { Algorithm } from '../../src/index.ts'
import { utf8 } from './encoding.ts'
import type { ConformanceModule } from './suite.ts'
import { equal, rejects } from './suite.ts'
import { expiresAt } from './token-fixtures.ts'
import {
  createLooseSigner,
  createTestSigner,
  expectedToken,
  headerOf,
  issuedAt,
  workspaceKey,
} from './tokens.ts'

const adminPayload = JSON.stringify({ isAdmin: true, iat: issuedAt, exp: expiresAt, iss: workspaceKey })

/** Secrets that must not be decoded, trimmed or normalized: Membrane uses their exact bytes. */
const exactTexts: [string, string][] = [
  ['spaces around it', '  0123456789abcdef0123456789abcdef  '],
  ['a line break at the end', '0123456789abcdef0123456789abcdef\n'],
  ['only spaces', ' '.repeat(32)],
  ['hexadecimal digits', '0123456789abcdef'.repeat(4)],
  ['base64', 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY='],
  ['a base64: prefix', 'base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY='],
  ['quotes around it', '"0123456789abcdef0123456789abcdef"'],
  ['a literal \\n', '0123456789abcdef\\n0123456789abcdef'],
  ['a NUL inside', '0123456789abcdef\u00000123456789abcdef'],
  ['a BOM before it', '\ufeff0123456789abcdef0123456789abcdef'],
  ['letters beyond ASCII', 'пароль-пароль-пароль'],
  ['combining marks', 'e\u0301'.repeat(11)],
  ['emoji', '🔑'.repeat(8)],
  ['longer than the hash’s block', 'x'.repeat(1000)],
  ['JSON that is not a JWK', '{"password":"0123456789abcdef0123456789abcdef"}'],
  ['a JSON array', '["0123456789abcdef0123456789abcdef"]'],
  ['five dashes inside', '-----0123456789abcdef-----0123456789abcdef'],
]

export const secretText: ConformanceModule = (suite, lib) => {
  for (const [title, secret] of exactTexts) {
    suite.test(`a secret is its exact bytes: ${title}`, async () => {
      const expected = await expectedToken('HS512', secret, headerOf('HS512'), adminPayload)
      equal((await (await createTestSigner(lib, { secret })).signAdminToken()).token, expected)
      equal((await (await createTestSigner(lib, { secret: utf8(secret) })).signAdminToken()).token, expected)
    })
  }

  const bytes = new Uint8Array(96).map((_, index) => 255 - index)
  for (const [title, secret] of [
    ['bytes that are not UTF-8', bytes],
    ['a view of a larger buffer', bytes.subarray(16, 64)],
  ] as const) {
    suite.test(`a secret is its exact bytes: ${title}`, async () => {
      const expected = await expectedToken('HS512', secret, headerOf('HS512'), adminPayload)
      equal((await (await createTestSigner(lib, { secret })).signAdminToken()).token, expected)
    })
  }
}

const weakSecrets: [string, string | Uint8Array][] = [
  ['one character', 'x'],
  ['31 characters', 'x'.repeat(31)],
  ['31 bytes', new Uint8Array(31).fill(7)],
  ['16 characters of 31 bytes', `${'ж'.repeat(15)}x`],
]

export const secretStrength: ConformanceModule = (suite, lib) => {
  for (const [title, secret] of weakSecrets) {
    suite.test(`weak: ${title}`, async () => {
      for (const algorithm of ['HS256', 'HS384', 'HS512'] as Algorithm[]) {
        for (const allowShortSecret of [undefined, false])
          await rejects(() => createTestSigner(lib, { secret, algorithm, allowShortSecret }), 'ERR_KEY_WEAK')
      }
    })

    suite.test(`weak, but allowed: ${title}`, async () => {
      const signer = await createTestSigner(lib, { secret, allowShortSecret: true })
      const bytes = typeof secret === 'string' ? utf8(secret) : secret.slice()
      const expected = await expectedToken('HS512', bytes, headerOf('HS512'), adminPayload)
      equal((await signer.signAdminToken()).token, expected)
    })
  }

  for (const [title, secret] of [
    ['no characters', ''],
    ['no bytes', new Uint8Array()],
  ] as const) {
    suite.test(`always weak: ${title}`, async () => {
      await rejects(() => createTestSigner(lib, { secret }), 'ERR_KEY_WEAK')
      await rejects(() => createTestSigner(lib, { secret, allowShortSecret: true }), 'ERR_KEY_WEAK')
    })
  }

  suite.test('32 bytes are enough, even with fewer characters', async () => {
    for (const secret of ['x'.repeat(32), 'ж'.repeat(16), '🔑'.repeat(8), new Uint8Array(32)]) {
      await createTestSigner(lib, { secret, algorithm: 'HS512' })
    }
  })

  suite.test('allowShortSecret must be exactly true', async () => {
    for (const allowShortSecret of ['true', 1, {}])
      await rejects(() => createLooseSigner(lib, { secret: 'short', allowShortSecret }), 'ERR_KEY_WEAK')
  })
}
