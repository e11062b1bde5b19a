import type { Bytes } from './der.ts'
import { concat } from './der.ts'
import { utf8 } from './encoding.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier, encodePart, forge, goodClaims, withCharacter } from './token-fixtures.ts'
import { secret, signParts } from './tokens.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const partNames = ['header', 'payload', 'signature']

/** RFC 7515 section 5.2. Wherever it can be, the signature is genuine: what is wrong is the form alone. */
export const tokenForm: ConformanceModule = (suite, lib) => {
  for (const value of [undefined, null, 42, 42n, true, [], {}, new Date(0), () => 'a.b.c'] as unknown[]) {
    suite.test(`no token: ${typeof value} ${String(value)}`, async () => {
      const verifier = await createTestVerifier(lib, { secret })
      await rejects(() => verifier.verify(value as string), 'ERR_TOKEN_MALFORMED')
    })
  }

  suite.test('no token: a genuine one in bytes, in a list, in an object or boxed', async () => {
    const token = await forge()
    const [protectedPart, payload, signature] = token.split('.')
    const verifier = await createTestVerifier(lib, { secret })
    for (const value of [
      utf8(token),
      [token],
      Object(token),
      { token },
      { toString: () => token, length: token.length, split: () => token.split('.') },
      { payload, signatures: [{ protected: protectedPart, signature }] },
      { payload, protected: protectedPart, signature },
    ] as unknown[]) {
      await rejects(() => verifier.verify(value as string), 'ERR_TOKEN_MALFORMED')
    }
  })

  const texts: [string, (token: string) => string][] = [
    ['nothing', () => ''],
    ['one dot', () => '.'],
    ['two dots', () => '..'],
    ['one part', (token) => token.split('.')[0] ?? ''],
    ['two parts', (token) => token.split('.').slice(0, 2).join('.')],
    ['four parts', (token) => `${token}.AAAA`],
    ['a dot at the end', (token) => `${token}.`],
    ['a dot in front', (token) => `.${token}`],
    ['no header', (token) => token.slice(token.indexOf('.'))],
    ['a JWE', (token) => `${encodePart({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.${token.split('.')[2]}`],
    ['a JWE of five full parts', (token) => `${token}.AAAA.AAAA`],
    ['six parts', (token) => `${token}.AAAA.AAAA.AAAA`],
    ['a hundred parts', () => '.'.repeat(99)],
    ['JSON serialisation', (token) => JSON.stringify({ payload: token.split('.')[1] })],
    ['Bearer in front', (token) => `Bearer ${token}`],
    ['quotes around', (token) => `"${token}"`],
    ['a space in front', (token) => ` ${token}`],
    ['a space behind', (token) => `${token} `],
    ['a line break behind', (token) => `${token}\n`],
    ['CRLF behind', (token) => `${token}\r\n`],
    ['a BOM in front', (token) => `\ufeff${token}`],
    ['spaces around the dots', (token) => token.replaceAll('.', ' . ')],
    ['URL-encoded dots', (token) => token.replaceAll('.', '%2E')],
    ['other dots', (token) => token.replaceAll('.', '\u3002')],
    ['the token twice, with a comma', (token) => `${token},${token}`],
  ]
  for (const [title, write] of texts) {
    suite.test(`malformed: ${title}`, async () => {
      const verifier = await createTestVerifier(lib, { secret })
      const token = write(await forge())
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_MALFORMED')
    })
  }

  suite.test('an empty signature is invalid', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const token = (await forge()).replace(/[^.]*$/, '')
    await rejects(() => verifier.verify(token), 'ERR_TOKEN_SIGNATURE_INVALID')
  })

  suite.test('8192 characters are a token, 8193 are too many', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const sizes = new Map<number, string>()
    // Base64url makes four characters of three, so some lengths need another header.
    for (let length = 5980; sizes.size < 2 && length < 6120; length++) {
      for (const kid of ['', 'x', 'xx']) {
        const token = await signParts(
          'HS512',
          secret,
          encodePart({ alg: 'HS512', kid }),
          encodePart({ fields: { text: 'x'.repeat(length - 100) } }, goodClaims),
        )
        if (token.length === 8192 || token.length === 8193) sizes.set(token.length, token)
      }
    }
    equal((await verifier.verify(sizes.get(8192) ?? '')).kind, 'customer')
    await rejects(() => verifier.verify(sizes.get(8193) ?? ''), 'ERR_TOKEN_TOO_LARGE')
    for (const text of ['x'.repeat(8193), '.'.repeat(1e6), ' '.repeat(8193)]) {
      await rejects(() => verifier.verify(text), 'ERR_TOKEN_TOO_LARGE')
    }
  })
}

const strangers = [
  ...['+', '/', '=', ' ', '\n', '\r', '\t', '\u0000', '\u007f', '%', '$', ',', '~', '"', '\\'],
  ...['\u00a0', '\u00e9', '\u0410', '\u2028', '\uff21', '\ufeff', '\ud83d'],
]

/** Stricter than most: RFC 7515 section 2 and appendix C, RFC 4648 sections 3.3 and 3.5. */
export const tokenEncoding: ConformanceModule = (suite, lib) => {
  for (const [place, name] of partNames.entries()) {
    suite.test(`${name}: characters outside base64url`, async () => {
      const verifier = await createTestVerifier(lib, { secret })
      for (const stranger of strangers) {
        for (const index of [0, 8, -1]) {
          const token = await withPart(place, (part) =>
            withCharacter(part, index < 0 ? part.length - 1 : index, stranger),
          )
          await rejects(() => verifier.verify(token), 'ERR_TOKEN_MALFORMED')
          const longer = await withPart(place, (part) => `${part.slice(0, 8)}${stranger}${part.slice(8)}`)
          await rejects(() => verifier.verify(longer), 'ERR_TOKEN_MALFORMED')
        }
      }
    })

    suite.test(`${name}: padding`, async () => {
      const verifier = await createTestVerifier(lib, { secret })
      for (const padding of ['=', '==', '===', '%3D', '\n', '.=']) {
        const token = await withPart(place, (part) => part + padding)
        await rejects(() => verifier.verify(token), 'ERR_TOKEN_MALFORMED')
      }
    })

    suite.test(`${name}: one character over a multiple of four`, async () => {
      const verifier = await createTestVerifier(lib, { secret })
      const token = await withPart(place, (part) => part.padEnd(Math.ceil(part.length / 4) * 4 + 1, 'A'))
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_MALFORMED')
    })

    suite.test(`${name}: last bits that are not zero`, async () => {
      const verifier = await createTestVerifier(lib, { secret })
      let tried = 0
      for (const spare of [1, 2]) {
        for (let bits = 1; bits < 4 ** spare; bits++) {
          const token = await withPart(
            place,
            (part) => withCharacter(part, part.length - 1, letterAfter(part, bits)),
            spare,
          )
          await rejects(() => verifier.verify(token), 'ERR_TOKEN_MALFORMED')
          tried++
        }
      }
      equal(tried, 3 + 15)
    })
  }

  /**
   * A genuine token in which one part is spelled differently. The signature covers the new spelling of header and
   * payload. `spare`: how many characters the part lacks to a multiple of four.
   */
  async function withPart(place: number, spell: (part: string) => string, spare?: number): Promise<string> {
    const algorithm = spare === 2 ? 'HS512' : 'HS256'
    const header = filled({ alg: algorithm, typ: 'JWT' }, 'kid', spare)
    const payload = filled(goodClaims, 'note', spare)
    const token = await signParts(
      algorithm,
      secret,
      place === 0 ? spell(header) : header,
      place === 1 ? spell(payload) : payload,
    )
    const signature = token.slice(token.lastIndexOf('.') + 1)
    assert(spare === undefined || signature.length % 4 === 4 - spare, 'the signature ends elsewhere')
    return place === 2 ? token.slice(0, -signature.length) + spell(signature) : token
  }

  function filled(base: object, member: string, spare: number | undefined): string {
    for (let length = 1; ; length++) {
      const part = encodePart({ [member]: 'x'.repeat(length) }, base)
      if (spare === undefined || part.length % 4 === 4 - spare) return part
    }
  }

  function letterAfter(part: string, bits: number): string {
    return letters[letters.indexOf(part.at(-1) ?? '') + bits] ?? ''
  }
}

const good = JSON.stringify(goodClaims)
const goodHeader = '{"alg":"HS512","typ":"JWT"}'

const noObjects: [string, (text: string) => string | Bytes][] = [
  ['nothing', () => ''],
  ['a list', (text) => `[${text}]`],
  ['text', (text) => JSON.stringify(text)],
  ['a number', () => '42'],
  ['null', () => 'null'],
  ['true', () => 'true'],
  ['no JSON', () => 'claims'],
  ['JSON cut short', (text) => text.slice(0, -1)],
  ['JSON and more', (text) => `${text}{}`],
  ['JSON and a comma', (text) => `${text},`],
  ['a comma too many', (text) => text.replace(/}$/, ',}')],
  ['single quotes', (text) => text.replaceAll('"', "'")],
  ['a comment', (text) => `/* */${text}`],
  ['NaN', (text) => text.replace(/}$/, ',"x":NaN}')],
  ['a BOM', (text) => concat(Uint8Array.of(0xef, 0xbb, 0xbf), utf8(text))],
  ['invalid UTF-8', (text) => concat(utf8(text.replace(/}$/, ',"x":"')), Uint8Array.of(0xff), utf8('"}'))],
  [
    'overlong UTF-8',
    (text) => concat(utf8(text.replace(/}$/, ',"x":"')), Uint8Array.of(0xc0, 0x80), utf8('"}')),
  ],
  [
    'half a surrogate pair',
    (text) => concat(utf8(text.replace(/}$/, ',"x":"')), Uint8Array.of(0xed, 0xa0, 0x80), utf8('"}')),
  ],
  ['UTF-16', (text) => Uint8Array.from(Array.from(text, (character) => [character.charCodeAt(0), 0]).flat())],
  ['a NUL behind', (text) => `${text}\u0000`],
]

/** RFC 7515 sections 5.2.3 and 5.2.4, RFC 7519 section 7.2.10. */
export const tokenJson: ConformanceModule = (suite, lib) => {
  for (const [title, write] of noObjects) {
    suite.test(`not a JSON object: ${title}`, async () => {
      const verifier = await createTestVerifier(lib, { secret })
      for (const token of [await forge({}, { header: write(goodHeader) }), await forge(write(good))]) {
        await rejects(() => verifier.verify(token), 'ERR_TOKEN_MALFORMED')
      }
    })
  }

  suite.test('white space within the JSON is allowed', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const [header, payload] = [goodHeader, good].map((text) => `\r\n ${text.replaceAll(',', ',\r\n ')}\t\n`)
    equal((await verifier.verify(await forge(payload, { header: header ?? '' }))).kind, 'customer')
  })

  suite.test('the last of two members with one name counts (RFC 7519 section 4)', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const twice = good.replace('"id"', '"id":"victim","exp":1,"iss":"other","id"')
    const verified = await verifier.verify(await forge(twice))
    equal(verified.kind === 'customer' && verified.id, goodClaims.id)
    const reversed = await forge(good.replace(/}$/, ',"exp":1}'))
    await rejects(() => verifier.verify(reversed), 'ERR_TOKEN_EXPIRED')
    const none = await forge({}, { header: '{"alg":"HS512","alg":"none"}' })
    await rejects(() => verifier.verify(none), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    equal(
      (await verifier.verify(await forge({}, { header: '{"alg":"none","alg":"HS512"}' }))).algorithm,
      'HS512',
    )
  })

  suite.test('__proto__ in the header does not set alg', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const token = await forge({}, { header: '{"__proto__":{"alg":"HS512"},"typ":"JWT"}' })
    await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
  })

  suite.test('an escaped name is the same name', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const token = await forge({}, { header: '{"\\u0061lg":"HS512","cr\\u0069t":["x"]}' })
    await rejects(() => verifier.verify(token), 'ERR_TOKEN_MALFORMED')
  })

  suite.test('the header’s typ, cty and unknown members are ignored', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    for (const header of [{ typ: undefined }, { typ: 'jwt' }, { cty: 'JWT' }, { iss: 'x', exp: 1 }]) {
      equal((await verifier.verify(await forge({}, { header }))).kind, 'customer')
    }
  })
}
