import type { JSONWebKeySet, JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { hasVectors, judgeSignature, type Key, readVectors, verdict } from './vectors.ts'

interface VectorFile {
  numberOfTests: number
  testGroups: { public?: JWK | JSONWebKeySet; private?: JWK | JSONWebKeySet; tests: Vector[] }[]
}

interface Vector {
  tcId: number
  comment: string
  jws: string
  result: 'valid' | 'invalid'
}

/** Vectors whose label is not followed, by number, with the reason. */
interface Exceptions {
  skipped: Record<number, string>
  /** Labeled valid, and rejected here. */
  rejected: Record<number, string>
}

const IDENTICAL = 'labeled invalid, but byte-identical to 357, which is labeled valid'
const NOT_BASE64URL = 'contains a character outside base64url'
const OTHER_ALGORITHM = 'the key is for PS256, the token says PS384'
const UNREGISTERED = 'the key is for ES521, which is not a registered algorithm'
const SECRET_SIZE = '32 bytes are enough for every HS*; the vector requires the length of the hash'

const files: [name: string, exceptions: Exceptions][] = [
  [
    'json_web_signature_test.json',
    {
      skipped: { 367: IDENTICAL, 370: IDENTICAL },
      rejected: {
        346: OTHER_ALGORITHM,
        347: UNREGISTERED,
        350: OTHER_ALGORITHM,
        351: UNREGISTERED,
        372: NOT_BASE64URL,
        373: NOT_BASE64URL,
      },
    },
  ],
  [
    'json_web_key_test.json',
    {
      skipped: { 2: 'symmetric keys in a JWK set are rejected', 11: SECRET_SIZE, 12: SECRET_SIZE },
      rejected: {},
    },
  ],
]

/** The vectors of a file, with their keys as options of `createVerifier`. */
function readFile(name: string): { size: number; vectors: (Vector & { key: Key })[] } {
  const { numberOfTests, testGroups } = readVectors<VectorFile>(`wycheproof/${name}`)
  const vectors = testGroups.flatMap((group) => {
    const key = keyOf((group.public ?? group.private) as JWK | JSONWebKeySet)
    return group.tests.map((vector) => ({ ...vector, key }))
  })
  return { size: numberOfTests, vectors }
}

function keyOf(jwk: JWK | JSONWebKeySet): Key {
  if (!('keys' in jwk)) return jwk.kty === 'oct' ? secretOf(jwk) : { publicKey: jwk as JsonWebKey }
  const [first] = jwk.keys as [JWK]
  return jwk.keys.length === 1 && first.kty === 'oct' ? secretOf(first) : { jwks: jwk as JSONWebKeySet }
}

function secretOf({ k = '', alg }: JWK): Key {
  return {
    secret: Uint8Array.from(Buffer.from(k, 'base64url')),
    algorithms: [alg] as NonNullable<Key['algorithms']>,
  }
}

describe.skipIf(!hasVectors)('Wycheproof', () => {
  test.each(files)('%s', async (name, { skipped, rejected }) => {
    const { size, vectors } = readFile(name)
    const disagreements: string[] = []
    let ran = 0
    for (const { tcId, comment, jws, result, key } of vectors) {
      if (tcId in skipped) continue
      ran++
      const expected = result === 'valid' && !(tcId in rejected) ? 'valid' : 'rejected'
      const found = await judgeSignature(key, jws)
      if (found !== expected) disagreements.push(`${tcId} ${comment}: ${found}, not ${expected}`)
    }
    const agreed = ran - disagreements.length
    console.log(
      [
        `${name}: ${size} vectors, ${ran} ran, ${agreed} agreed, ${Object.keys(skipped).length} skipped`,
        ...Object.entries(skipped).map(([id, reason]) => `  ${id} skipped: ${reason}`),
        ...Object.entries(rejected).map(([id, reason]) => `  ${id} labeled valid, rejected here: ${reason}`),
      ].join('\n'),
    )

    expect(disagreements).toEqual([])
    expect(ran + Object.keys(skipped).length).toBe(size)
    expect(new Set(vectors.map(({ tcId }) => tcId)).size).toBe(size)
  })

  // These tests check the reasons above.
  describe('exceptions', () => {
    const find = (name: string, id: number) => readFile(name).vectors.find(({ tcId }) => tcId === id)!

    test.each([367, 370])('signature %i is byte-identical to 357', (id) => {
      const [file] = files[0]!
      expect(find(file, id)).toMatchObject({ result: 'invalid', jws: find(file, 357).jws })
      expect(find(file, id).key).toEqual(find(file, 357).key)
    })

    test.each([
      [0, 346, 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED'],
      [0, 347, 'ERR_KEY_ALGORITHM_MISMATCH'],
      [0, 350, 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED'],
      [0, 351, 'ERR_KEY_ALGORITHM_MISMATCH'],
      [0, 372, 'ERR_TOKEN_MALFORMED'],
      [0, 373, 'ERR_TOKEN_MALFORMED'],
      [1, 1, 'ERR_KEY_FORMAT_UNSUPPORTED'],
      [1, 2, 'ERR_KEY_FORMAT_UNSUPPORTED'],
      [1, 3, 'ERR_KEY_FORMAT_UNSUPPORTED'],
      [1, 4, 'ERR_KEY_FORMAT_UNSUPPORTED'],
    ])('vector %i/%i is rejected with %s', async (file, id, code) => {
      const { key, jws } = find(files[file]![0], id)
      expect(await verdict(key, jws)).toBe(code)
    })

    test.each([
      [11, 47],
      [12, 63],
    ])('key %i is a secret of %i bytes, and is accepted', async (id, size) => {
      const { key, jws } = find('json_web_key_test.json', id)
      expect(key.secret).toHaveLength(size)
      expect(await judgeSignature(key, jws)).toBe('valid')
    })
  })
})
