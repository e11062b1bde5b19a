import type { Algorithm } from '../../src/index.ts'
import { utf8 } from './encoding.ts'
import type { Jwk, KeyName } from './keys.ts'
import { privateJwk, publicHalf } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal } from './suite.ts'
import {
  algorithms,
  createTestSigner,
  customer,
  customerPayload,
  decode,
  expectedToken,
  headerOf,
  keyNameFor,
  secret,
  verifies,
  workspaceKey,
} from './tokens.ts'

const signatureLengths: Record<string, number> = {
  ...{ HS256: 32, HS384: 48, HS512: 64, ES256: 64, ES384: 96, ES512: 132 },
  ...{ RS256: 256, RS384: 256, RS512: 256, PS256: 256, PS384: 256, PS512: 256 },
}

interface Material {
  options: { secret: string } | { privateKey: Jwk }
  signingKey: string | Jwk
  verifyingKey: string | Jwk
}

async function materialFor(algorithm: Algorithm): Promise<Material> {
  if (algorithm.startsWith('HS')) return { options: { secret }, signingKey: secret, verifyingKey: secret }
  const jwk = await privateJwk(keyNameFor(algorithm))
  return { options: { privateKey: jwk }, signingKey: jwk, verifyingKey: publicHalf(jwk) }
}

export const everyAlgorithm: ConformanceModule = (suite, lib) => {
  for (const algorithm of algorithms) {
    suite.test(`${algorithm} signatures verify`, async () => {
      const { options, verifyingKey } = await materialFor(algorithm)
      const signer = await createTestSigner(lib, { ...options, algorithm })
      const { token } = await signer.signCustomerToken(customer)
      const { header, payload, signature } = decode(token)
      equal([header, payload], [headerOf(algorithm), customerPayload])
      equal(signature.length, signatureLengths[algorithm])
      assert(await verifies(token, algorithm, verifyingKey), 'the signature does not verify')
      equal([signer.algorithm, signer.keyId, signer.workspaceKey], [algorithm, undefined, workspaceKey])
    })

    suite.test(`${algorithm} with a key id in the header and a token id in the claims`, async () => {
      const { options, verifyingKey } = await materialFor(algorithm)
      const keyId = 'https://keys.example/ключ #1'
      const signer = await createTestSigner(lib, { ...options, algorithm, keyId })
      const { token } = await signer.signCustomerToken(customer, { jwtId: 'b0a1' })
      const { header, payload } = decode(token)
      equal(header, headerOf(algorithm, keyId))
      equal(payload, customerPayload.replace(/}$/, ',"jti":"b0a1"}'))
      assert(await verifies(token, algorithm, verifyingKey), 'the signature does not verify')
      equal(signer.keyId, keyId)
    })

    suite.test(`${algorithm} signs admin tokens`, async () => {
      const { options, verifyingKey } = await materialFor(algorithm)
      const signer = await createTestSigner(lib, { ...options, algorithm })
      const { token } = await signer.signAdminToken()
      equal(decode(token).header, headerOf(algorithm))
      assert(await verifies(token, algorithm, verifyingKey), 'the signature does not verify')
    })
  }
}

export const knownAnswers: ConformanceModule = (suite, lib) => {
  for (const algorithm of algorithms.filter((name) => /^[HR]S/.test(name))) {
    suite.test(`${algorithm} matches an independent computation byte for byte`, async () => {
      const { options, signingKey } = await materialFor(algorithm)
      const signer = await createTestSigner(lib, { ...options, algorithm, keyId: 'k1' })
      const { token } = await signer.signCustomerToken(customer)
      equal(token, await expectedToken(algorithm, signingKey, headerOf(algorithm, 'k1'), customerPayload))
    })
  }

  suite.test('HS512 matches a token from jsonwebtoken byte for byte', async () => {
    const signer = await createTestSigner(lib, { secret: utf8('0123456789abcdef0123456789abcdef') })
    const { token } = await signer.signCustomerToken({ id: 'c', name: 'n', fields: { userField: 'v' } })
    equal(token, knownToken)
  })
}

/** From `jsonwebtoken` 9.0.3, so that the suite does not depend on its own computation alone. */
const knownToken = [
  'eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9',
  'eyJpZCI6ImMiLCJuYW1lIjoibiIsImZpZWxkcyI6eyJ1c2VyRmllbGQiOiJ2In0sImlhdCI6MTc2NzIyNTYwMCwiZXhwIjox' +
    'NzY3MjMyODAwLCJpc3MiOiI0ZjliNWY1Yi02ZjNjLTRkMGUtOWQwYi01ZDVlN2YxYTJiM2MifQ',
  'sKtgjwv61DU-V2Dii1RM0-nTbwuAW6bOsHHwsATpLyxfTqY9SX-eEd11HXZs1YTcDB_CJYrceroPMLY9oympsw',
].join('.')

const defaults: [string, KeyName | undefined, Algorithm][] = [
  ['a secret', undefined, 'HS512'],
  ['a P-256 key', 'P-256', 'ES256'],
  ['a P-384 key', 'P-384', 'ES384'],
  ['a P-521 key', 'P-521', 'ES512'],
  ['an RSA key', 'RSA', 'RS256'],
]

export const algorithmChoice: ConformanceModule = (suite, lib) => {
  for (const [title, keyName, algorithm] of defaults) {
    suite.test(`${algorithm} is the default for ${title}`, async () => {
      const options = keyName ? { privateKey: await privateJwk(keyName) } : { secret }
      const signer = await createTestSigner(lib, options)
      equal(signer.algorithm, algorithm)
      equal(decode((await signer.signAdminToken()).token).header, headerOf(algorithm))
    })
  }
}
