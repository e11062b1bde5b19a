import type { Bytes } from './der.ts'
import { concat } from './der.ts'
import { utf8 } from './encoding.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier, encodePart, forge, goodClaims, verify, withCharacter } from './token-fixtures.ts'
import { secret, signParts } from './tokens.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const partNames = ['header', 'payload', 'signature']

/** RFC 7515 section 5.2. Where possible the signature is valid, so that only the form is wrong. */
export const tokenForm: ConformanceModule = (suite, lib) => {
  for (const value of [undefined, null, 42, 42n, true, [], {}, new Date(0), () => 'a.b.c'] as unknown[]) {
    suite.test(`not a token: ${typeof value} ${String(value)}`, async () => {
      await rejects(() => verify(lib, value as string), 'ERR_TOKEN_MALFORMED')
    })
  }

  suite.test('not a token: a valid one as bytes, boxed, or in an array or object', async () => {
    const token = await forge()
    const [protectedPart, payload, signature] = token.split('.')
    for (const value of [
      utf8(token),
      [token],
      Object(token),
      { token },
      { toString: () => token, length: token.length, split: () => token.split('.') },
      { payload, signatures: [{ protected: protectedPart, signature }] },
      { payload, protected: protectedPart, signature },
    ] as unknown[]) {
      await rejects(() => verify(lib, value as string), 'ERR_TOKEN_MALFORMED')
    }
  })

  const texts: [string, (token: string) => string][] = [
    ['nothing', () => ''],
    ['one dot', () => '.'],
    ['two dots', () => '..'],
    ['one part', (token) => token.split('.')[0] ?? ''],
    ['two parts', (token) => token.split('.').slice(0, 2).join('.')],
    ['four parts', (token) => `${token}.AAAA`],
    ['a dot after it', (token) => `${token}.`],
    ['a dot before it', (token) => `.${token}`],
    ['no header', (token) => token.slice(token.indexOf('.'))],
    ['a JWE', (token) => `${encodePart({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.${token.split('.')[2]}`],
    ['a JWE of five full parts', (token) => `${token}.AAAA.AAAA`],
    ['six parts', (token) => `${token}.AAAA.AAAA.AAAA`],
    ['a hundred parts', () => '.'.repeat(99)],
    ['JSON serialisation', (token) => JSON.stringify({ payload: token.split('.')[1] })],
    ['Bearer before it', (token) => `Bearer ${token}`],
    ['quotes around it', (token) => `"${token}"`],
    ['a space before it', (token) => ` ${token}`],
    ['a space after it', (token) => `${token} `],
    ['a line break after it', (token) => `${token}\n`],
    ['CRLF after it', (token) => `${token}\r\n`],
    ['a BOM before it', (token) => `\ufeff${token}`],
    ['spaces around the dots', (token) => token.replaceAll('.', ' . ')],
    ['URL-encoded dots', (token) => token.replaceAll('.', '%2E')],
    ['other dots', (token) => token.replaceAll('.', '\u3002')],
    ['the token twice, with a comma', (token) => `${token},${token}`],
  ]
  for (const [title, write] of texts) {
    suite.test(`malformed: ${title}`, async () => {
      const token = write(await forge())
      await rejects(() => verify(lib, token), 'ERR_TOKEN_MALFORMED')
    })
  }

  suite.test('an empty signature is invalid', async () => {
    const token = (await forge()).replace(/[^.]*$/, '')
    await rejects(() => verify(lib, token), 'ERR_TOKEN_SIGNATURE_INVALID')
  })

  suite.test('8192 characters are accepted, 8193 are too many', async () => {
    const sizes = new Map<number, string>()
    // Base64url encodes three bytes as four characters, so some lengths need another header.
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
    equal((await verify(lib, sizes.get(8192) ?? '')).kind, 'customer')
    await rejects(() => verify(lib, sizes.get(8193) ?? ''), 'ERR_TOKEN_TOO_LARGE')
    for (const text of ['x'.repeat(8193), '.'.repeat(1e6), ' '.repeat(8193)]) {
      await rejects(() => verify(lib, text), 'ERR_TOKEN_TOO_LARGE')
    }
  })
}

const strangers = [
  ...['+', '/', '=', ' ', '\n', '\r', '\t', '\u0000', '\u007f', '%', '$', ',', '~', '"', '\\'],
  ...['\u00a0', '\u00e9', '\u0410', '\u2028', '\uff21', '\ufeff', '\ud83d'],
]

/** Stricter than most implementations: RFC 7515 section 2 and appendix C, RFC 4648 sections 3.3 and 3.5. */
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
      for (const padding of ['=', '==', '===', '%3D', '\n', '.=']) {
        const token = await withPart(place, (part) => part + padding)
        await rejects(() => verify(lib, token), 'ERR_TOKEN_MALFORMED')
      }
    })

    suite.test(`${name}: one character over a multiple of four`, async () => {
      const token = await withPart(place, (part) => part.padEnd(Math.ceil(part.length / 4) * 4 + 1, 'A'))
      await rejects(() => verify(lib, token), 'ERR_TOKEN_MALFORMED')
    })

    suite.test(`${name}: unused bits that are not zero`, async () => {
      let tried = 0
      for (const spare of [1, 2]) {
        for (let bits = 1; bits < 4 ** spare; bits++) {
          const token = await withPart(
            place,
            (part) => withCharacter(part, part.length - 1, letterAfter(part, bits)),
            spare,
          )
          await rejects(() => verify(lib, token), 'ERR_TOKEN_MALFORMED')
          tried++
        }
      }
      equal(tried, 3 + 15)
    })
  }

  /**
   * A valid token with one part changed after encoding. The signature covers a changed header or payload.
   *
   * @param spare How many characters the part lacks to a multiple of four
   */
  async function withPart(place: number, change: (part: string) => string, spare?: number): Promise<string> {
    const algorithm = spare === 2 ? 'HS512' : 'HS256'
    const header = filled({ alg: algorithm, typ: 'JWT' }, 'kid', spare)
    const payload = filled(goodClaims, 'note', spare)
    const token = await signParts(
      algorithm,
      secret,
      place === 0 ? change(header) : header,
      place === 1 ? change(payload) : payload,
    )
    const signature = token.slice(token.lastIndexOf('.') + 1)
    assert(spare === undefined || signature.length % 4 === 4 - spare, 'another length of the signature')
    return place === 2 ? token.slice(0, -signature.length) + change(signature) : token
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

const notObjects: [string, (text: string) => string | Bytes][] = [
  ['nothing', () => ''],
  ['a list', (text) => `[${text}]`],
  ['text', (text) => JSON.stringify(text)],
  ['a number', () => '42'],
  ['null', () => 'null'],
  ['true', () => 'true'],
  ['text that is not JSON', () => 'claims'],
  ['truncated JSON', (text) => text.slice(0, -1)],
  ['two JSON objects', (text) => `${text}{}`],
  ['JSON and a comma', (text) => `${text},`],
  ['a trailing comma in the object', (text) => text.replace(/}$/, ',}')],
  ['single quotes', (text) => text.replaceAll('"', "'")],
  ['a comment', (text) => `/* */${text}`],
  ['NaN', (text) => text.replace(/}$/, ',"x":NaN}')],
  ['a BOM', (text) => concat(Uint8Array.of(0xef, 0xbb, 0xbf), utf8(text))],
  ['invalid UTF-8', (text) => withMember(text, 0xff)],
  ['overlong UTF-8', (text) => withMember(text, 0xc0, 0x80)],
  ['half a surrogate pair', (text) => withMember(text, 0xed, 0xa0, 0x80)],
  ['UTF-16', (text) => Uint8Array.from(Array.from(text, (character) => [character.charCodeAt(0), 0]).flat())],
  ['a NUL after it', (text) => `${text}\u0000`],
]

/** An object's text with one more member, whose string value has these bytes. */
function withMember(text: string, ...bytes: number[]): Bytes {
  return concat(utf8(text.replace(/}$/, ',"x":"')), Uint8Array.from(bytes), utf8('"}'))
}

/** RFC 7515 sections 5.2.3 and 5.2.4, RFC 7519 section 7.2.10. */
export const tokenJson: ConformanceModule = (suite, lib) => {
  for (const [title, write] of notObjects) {
    suite.test(`not a JSON object: ${title}`, async () => {
      for (const token of [await forge({}, { header: write(goodHeader) }), await forge(write(good))]) {
        await rejects(() => verify(lib, token), 'ERR_TOKEN_MALFORMED')
      }
    })
  }

  suite.test('white space within the JSON is allowed', async () => {
    const [header, payload] = [goodHeader, good].map((text) => `\r\n ${text.replaceAll(',', ',\r\n ')}\t\n`)
    equal((await verify(lib, await forge(payload, { header: header ?? '' }))).kind, 'customer')
  })

  suite.test('the last member with a name counts (RFC 7519 section 4)', async () => {
    const twice = good.replace('"id"', '"id":"victim","exp":1,"iss":"other","id"')
    const verified = await verify(lib, await forge(twice))
    equal(verified.kind === 'customer' && verified.id, goodClaims.id)
    const expired = await forge(good.replace(/}$/, ',"exp":1}'))
    await rejects(() => verify(lib, expired), 'ERR_TOKEN_EXPIRED')
    const none = await forge({}, { header: '{"alg":"HS512","alg":"none"}' })
    await rejects(() => verify(lib, none), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    const allowed = await forge({}, { header: '{"alg":"none","alg":"HS512"}' })
    equal((await verify(lib, allowed)).algorithm, 'HS512')
  })

  suite.test('__proto__ in the header does not set alg', async () => {
    const token = await forge({}, { header: '{"__proto__":{"alg":"HS512"},"typ":"JWT"}' })
    await rejects(() => verify(lib, token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
  })

  suite.test('member names may be escaped', async () => {
    const token = await forge({}, { header: '{"\\u0061lg":"HS512","cr\\u0069t":["x"]}' })
    await rejects(() => verify(lib, token), 'ERR_TOKEN_MALFORMED')
  })

  suite.test('the header’s typ, cty and unknown members are ignored', async () => {
    for (const header of [{ typ: undefined }, { typ: 'jwt' }, { cty: 'JWT' }, { iss: 'x', exp: 1 }]) {
      equal((await verify(lib, await forge({}, { header }))).kind, 'customer')
    }
  })
}
