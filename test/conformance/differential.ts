import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { CompactSign } from 'jose/jws/compact/sign'
import { compactVerify } from 'jose/jws/compact/verify'
import { SignJWT } from 'jose/jwt/sign'
import { jwtVerify } from 'jose/jwt/verify'
import type { Algorithm, Customer } from '../../src/index.ts'
import { utf8 } from './encoding.ts'
import { privateJwk, publicJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal } from './suite.ts'
import { createTestVerifier, keysFor } from './token-fixtures.ts'
import { algorithms, createTestSigner, decode, issuedAt, keyNameFor, secret, workspaceKey } from './tokens.ts'

/** Signing and verifying do not use `jose`, so both are compared with it on random claims. */

const ROUNDS = 12
const currentDate = new Date(issuedAt * 1000)

/** A linear congruential generator: the same claims on every runtime. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const alphabets = ['abcXYZ019', '>?~ /+=&', 'éßñ', '漢字', '🦋', '"\\\u0000\n\u2028']

function randomText(random: (below: number) => number): string {
  let text = 'c'
  for (let length = random(30); length > 0; length--) {
    const characters = [...(alphabets[random(alphabets.length)] as string)]
    text += characters[random(characters.length)]
  }
  return text
}

function randomCustomer(random: (below: number) => number): Customer {
  const values = [
    () => randomText(random),
    () => random(1e6) / 7,
    () => random(2) === 0,
    () => null,
    () => [randomText(random)],
  ]
  const fields = Array.from({ length: random(4) }, () => [
    randomText(random),
    values[random(values.length)]?.(),
  ])
  return {
    // Ids must not contain control characters; names and fields may.
    id: `customer-${random(1e9)}-é?>~`,
    ...(random(2) === 0 && { name: randomText(random) }),
    ...(random(2) === 0 && { fields: Object.fromEntries(fields) as Record<string, unknown> }),
  }
}

async function joseKeys(algorithm: Algorithm) {
  if (algorithm.startsWith('HS')) return { signing: utf8(secret), verifying: utf8(secret) }
  const name = keyNameFor(algorithm)
  return { signing: await privateJwk(name), verifying: await publicJwk(name) }
}

export const differential: ConformanceModule = (suite, lib) => {
  for (const name of ['RSA', 'P-256', 'P-384', 'P-521'] as const) {
    suite.test(`the thumbprint of an ${name} key equals that of jose`, async () => {
      const privateKey = await privateJwk(name)
      const { keyId, publicJwk: published } = await createTestSigner(lib, { privateKey, keyId: 'thumbprint' })
      equal(keyId, await calculateJwkThumbprint({ ...(await publicJwk(name)) }))
      equal(published?.kid, keyId)
      equal((await lib.inspectKey(privateKey)).keyId, keyId)
    })
  }

  for (const [index, algorithm] of algorithms.entries()) {
    const isDeterministic = /^(HS|RS)/.test(algorithm)

    suite.test(`${algorithm}: jose verifies what the signer signs`, async () => {
      const random = createRandom(index)
      const [signing] = await keysFor(algorithm)
      const { signing: joseKey, verifying } = await joseKeys(algorithm)
      const signer = await createTestSigner(lib, { ...signing, algorithm, keyId: 'k1' })
      for (let round = 0; round < ROUNDS; round++) {
        const customer = randomCustomer(random)
        const { token } = await signer.signCustomerToken(customer, { jwtId: randomText(random) })
        const { payload, protectedHeader } = await jwtVerify(token, verifying, {
          algorithms: [algorithm],
          issuer: workspaceKey,
          typ: 'JWT',
          currentDate,
        })
        equal(protectedHeader, { alg: algorithm, typ: 'JWT', kid: 'k1' })
        equal([payload.id, payload.name, payload.fields], [customer.id, customer.name, customer.fields])
        const { payload: bytes } = await compactVerify(token, verifying)
        equal(new TextDecoder().decode(bytes), decode(token).payload)
        if (!isDeterministic) continue
        const header = { alg: algorithm, typ: 'JWT', kid: 'k1' }
        equal(token, await new CompactSign(bytes).setProtectedHeader(header).sign(joseKey))
        equal(token, await new SignJWT(payload).setProtectedHeader(header).sign(joseKey))
      }
    })

    suite.test(
      `${algorithm}: the verifier accepts what jose signs, and both reject a changed signature`,
      async () => {
        const random = createRandom(index + 100)
        const [, verifying] = await keysFor(algorithm)
        const { signing, verifying: joseKey } = await joseKeys(algorithm)
        const verifier = await createTestVerifier(lib, verifying)
        for (let round = 0; round < ROUNDS; round++) {
          const { id, name, fields } = randomCustomer(random)
          const token = await new SignJWT({ id, ...(name && { name }), ...(fields && { fields }) })
            .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
            .setIssuer(workspaceKey)
            .setIssuedAt(issuedAt)
            .setExpirationTime(issuedAt + 60)
            .sign(signing)
          const verified = await verifier.verify(token)
          assert(verified.kind === 'customer')
          equal([verified.id, verified.name, verified.fields], [id, name, fields])

          const at = token.lastIndexOf('.') + 1 + random(40)
          const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
          const outcomes = await Promise.allSettled([
            verifier.verify(changed),
            jwtVerify(changed, joseKey, { currentDate }),
          ])
          equal(
            outcomes.map(({ status }) => status),
            ['rejected', 'rejected'],
          )
        }
      },
    )
  }
}
