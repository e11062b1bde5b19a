import type { Algorithm, ClaimStyle, VerifierOptions } from '../../src/index.ts'
import { toBase64url, utf8 } from './encoding.ts'
import { publicJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { equal, rejects } from './suite.ts'
import { createTestVerifier, expiresAt, forge, keysFor, verify } from './token-fixtures.ts'
import {
  algorithms,
  createTestSigner,
  customer,
  importFor,
  issuedAt,
  keyNameFor,
  secret,
  workspaceKey,
} from './tokens.ts'

const claimStyles: ClaimStyle[] = ['issuer', 'workspaceKey', 'tenant']
const dates = { issuedAt: new Date(issuedAt * 1000), expiresAt: new Date(expiresAt * 1000) }

/** Members that a token does not have are absent from the result, not undefined. */
export const roundTrips: ConformanceModule = (suite, lib) => {
  for (const algorithm of algorithms) {
    for (const claimStyle of claimStyles) {
      suite.test(`${algorithm}, ${claimStyle}: the verifier returns what was signed`, async () => {
        const [signing, verifying] = await keysFor(algorithm)
        const verifier = await createTestVerifier(lib, verifying)
        const base = { workspaceKey, ...dates, algorithm }

        const signer = await createTestSigner(lib, { ...signing, algorithm, claimStyle })
        const full = await signer.signCustomerToken(customer)
        equal(await verifier.verify(full.token), { kind: 'customer', ...customer, ...base })
        const bare = await signer.signCustomerToken({ id: customer.id })
        equal(await verifier.verify(bare.token), { kind: 'customer', id: customer.id, ...base })
        equal(await verifier.verify((await signer.signAdminToken()).token), { kind: 'admin', ...base })

        const named = await createTestSigner(lib, { ...signing, algorithm, claimStyle, keyId: 'ключ #1' })
        const more = { ...base, jwtId: 'token-1', keyId: 'ключ #1' }
        const options = { jwtId: 'token-1' }
        const namedCustomer = await named.signCustomerToken(customer, options)
        equal(await verifier.verify(namedCustomer.token), { kind: 'customer', ...customer, ...more })
        const namedAdmin = await named.signAdminToken(options)
        equal(await verifier.verify(namedAdmin.token), { kind: 'admin', ...more })
      })
    }

    suite.test(`${algorithm}: another key is rejected`, async () => {
      const [signing] = await keysFor(algorithm)
      const signer = await createTestSigner(lib, { ...signing, algorithm })
      const { token } = await signer.signCustomerToken(customer)
      const verifier = await createTestVerifier(lib, await otherKeyFor(algorithm))
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_SIGNATURE_INVALID')
    })
  }

  const base = { kind: 'customer', id: customer.id, workspaceKey, ...dates, algorithm: 'HS512' }
  const contents: [title: string, claims: object][] = [
    ['non-ASCII letters', { id: 'Ωmega-客户-🔑' }],
    ['spaces in the id', { id: ' customer 42 ' }],
    ['nested fields', { fields: { a: [1, { b: null }], c: '' } }],
    ['empty fields', { fields: {} }],
    ['an empty name', { name: '' }],
  ]
  for (const [title, claims] of contents) {
    suite.test(`returned unchanged: ${title}`, async () => {
      equal(await verify(lib, await forge(claims)), { ...base, ...claims })
    })
  }

  suite.test('unknown claims are not returned', async () => {
    equal(await verify(lib, await forge({ aud: 'membrane', sub: 'user-1', role: 'owner' })), base)
  })

  suite.test('without iat, issuedAt is absent', async () => {
    const { issuedAt: _, ...undated } = base
    equal(await verify(lib, await forge({ iat: undefined })), undated)
  })
}

async function otherKeyFor(algorithm: Algorithm): Promise<Partial<VerifierOptions>> {
  if (algorithm.startsWith('HS')) return { secret: secret.toUpperCase() }
  const name = keyNameFor(algorithm)
  if (name === 'RSA') return { publicKey: await publicJwk('other RSA') }
  const parameters = { name: 'ECDSA', namedCurve: name }
  const pair = (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKeyPair
  return { publicKey: pair.publicKey }
}

export const verifierSecrets: ConformanceModule = (suite, lib) => {
  suite.test('a secret as text or bytes verifies every HS algorithm', async () => {
    for (const material of [secret, utf8(secret)]) {
      const verifier = await createTestVerifier(lib, { secret: material })
      for (const algorithm of ['HS256', 'HS384', 'HS512'] as const) {
        equal((await verifier.verify(await forge({}, { algorithm }))).algorithm, algorithm)
      }
    }
  })

  suite.test('an HMAC CryptoKey verifies only the algorithm of its hash', async () => {
    for (const extractable of [true, false]) {
      const key = await importFor('HS384', secret, 'verify', extractable)
      const verifier = await createTestVerifier(lib, { secret: key })
      equal((await verifier.verify(await forge({}, { algorithm: 'HS384' }))).algorithm, 'HS384')
      for (const algorithm of ['HS256', 'HS512'] as const) {
        const token = await forge({}, { algorithm })
        await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
      }
    }
  })

  suite.test('a secret is never trimmed or decoded', async () => {
    const base64 = toBase64url(utf8(secret))
    for (const other of [` ${secret}`, `${secret}\n`, base64, `"${secret}"`]) {
      const verifier = await createTestVerifier(lib, { secret: other })
      await rejects(async () => verifier.verify(await forge()), 'ERR_TOKEN_SIGNATURE_INVALID')
      equal((await verifier.verify(await forge({}, { key: other }))).kind, 'customer')
    }
  })

  suite.test('later changes to a secret’s bytes have no effect', async () => {
    const bytes = utf8(secret)
    const creating = createTestVerifier(lib, { secret: bytes })
    equal([...bytes], [...utf8(secret)])
    bytes.fill(0)
    equal((await (await creating).verify(await forge())).kind, 'customer')
  })

  suite.test('a short secret is weak unless allowed, an empty one always', async () => {
    const short = 'a'.repeat(31)
    for (const weak of [short, utf8(short), '']) {
      await rejects(() => createTestVerifier(lib, { secret: weak }), 'ERR_KEY_WEAK')
    }
    for (const empty of ['', new Uint8Array()]) {
      await rejects(() => createTestVerifier(lib, { secret: empty, allowShortSecret: true }), 'ERR_KEY_WEAK')
    }
    const verifier = await createTestVerifier(lib, { secret: short, allowShortSecret: true })
    equal((await verifier.verify(await forge({}, { key: short }))).kind, 'customer')
  })

  suite.test('a short HMAC CryptoKey is weak unless allowed', async () => {
    const key = await importFor('HS256', 'a'.repeat(31), 'verify')
    await rejects(() => createTestVerifier(lib, { secret: key }), 'ERR_KEY_WEAK')
    await createTestVerifier(lib, { secret: key, allowShortSecret: true })
  })
}
