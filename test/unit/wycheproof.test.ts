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

/** What is not taken at its label, by number; the reason is what it is judged by instead. */
interface Exceptions {
  leftOut: Record<number, string>
  /** Labelled valid, and refused here. */
  refused: Record<number, string>
}

const IDENTICAL = 'labelled invalid, but byte-identical to 357, which is labelled valid'
const NOT_BASE64URL = 'holds a character outside base64url'
const OTHER_ALGORITHM = 'the key is for PS256, the token says PS384'
const UNREGISTERED = 'the key is for ES521, which is no registered algorithm'
const SECRET_SIZE = 'secrets of 32 bytes serve every HS*; the vector wants as many as the hash has'

const files: [name: string, exceptions: Exceptions][] = [
  [
    'json_web_signature_test.json',
    {
      leftOut: { 367: IDENTICAL, 370: IDENTICAL },
      refused: {
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
      leftOut: { 2: 'symmetric keys in a JWK set are refused', 11: SECRET_SIZE, 12: SECRET_SIZE },
      refused: {},
    },
  ],
]

/** Every vector of a file with its key, as `createVerifier` takes it. */
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
  test.each(files)('%s', async (name, { leftOut, refused }) => {
    const { size, vectors } = readFile(name)
    const disagreements: string[] = []
    let ran = 0
    for (const { tcId, comment, jws, result, key } of vectors) {
      if (tcId in leftOut) continue
      ran++
      const expected = result === 'valid' && !(tcId in refused) ? 'genuine' : 'refused'
      const found = await judgeSignature(key, jws)
      if (found !== expected) disagreements.push(`${tcId} ${comment}: ${found}, not ${expected}`)
    }
    const agreed = ran - disagreements.length
    console.log(
      [
        `${name}: ${size} vectors, ${ran} ran, ${agreed} agreed, ${Object.keys(leftOut).length} left out`,
        ...Object.entries(leftOut).map(([id, reason]) => `  ${id} left out: ${reason}`),
        ...Object.entries(refused).map(([id, reason]) => `  ${id} labelled valid, to be refused: ${reason}`),
      ].join('\n'),
    )

    expect(disagreements).toEqual([])
    expect(agreed).toBe(ran)
    expect(ran + Object.keys(leftOut).length).toBe(size)
    expect(new Set(vectors.map(({ tcId }) => tcId)).size).toBe(size)
  })

  // The reasons above are claims about the vectors, and these keep them true.
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
    ])('file %i, %i is refused with %s', async (file, id, code) => {
      const { key, jws } = find(files[file]![0], id)
      expect(await verdict(key, jws)).toBe(code)
    })

    test.each([
      [11, 47],
      [12, 63],
    ])('key %i is a secret of %i bytes, and serves', async (id, size) => {
      const { key, jws } = find('json_web_key_test.json', id)
      expect(key.secret).toHaveLength(size)
      expect(await judgeSignature(key, jws)).toBe('genuine')
    })
  })
})
