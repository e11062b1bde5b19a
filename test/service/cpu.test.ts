import { expect, test } from 'vitest'
import { sessionJwt } from '../../src/endpoint.ts'
import { cpuTimeOf } from '../support/cpu-time.ts'
import { authenticate, keys, ORIGIN, service } from './harness.ts'

/** Milliseconds of CPU time for one request. The goal is 5; slow machines need more. */
const LIMIT = 50

const bearer = `Bearer ${keys.backend}`
const fields = (value: string) => `{"id":"c","fields":${value}}`
const token = (part: string) => `Bearer ${part}.${part}.AAAA`
const base64url = (text: string) => Buffer.from(text).toString('base64url')

/** Requests that are as expensive as possible: headers of 16 KiB, bodies up to the limit. */
const HOSTILE: [what: string, body: string, headers?: Record<string, string>][] = [
  ['quotes and backslashes', '\\"'.repeat(8190)],
  ['an unterminated string of backslashes', `{"id":"${'\\\\'.repeat(8000)}`],
  ['unclosed brackets', '['.repeat(16_384)],
  ['nested objects', '{"a":'.repeat(3270)],
  [
    'an unclosed object with many members',
    `{${Array.from({ length: 1800 }, (_, index) => `"${index}":1`).join(',')}}`,
  ],
  [
    'escaped member names',
    `{${Array.from({ length: 700 }, (_, index) => `"\\u0061\\u00${(index % 90) + 10}${index}":1`).join(',')}}`,
  ],
  ['spaces', ' '.repeat(16_384)],
  ['an id of braces', `{"id":"${'{'.repeat(16_000)}"}`],
  ['an id of placeholders', `{"id":"${'${{<'.repeat(4000)}"}`],
  ['a number of digits', fields(`{"a":${'9'.repeat(16_000)}}`)],
  ['a lifetime of digits', `{"id":"c","expiresIn":"${'9'.repeat(16_000)}h"}`],
  ['a member with a similar name', `{"id":"c","${'expiresI'.repeat(2000)}":1}`],
  ['fields with a long text', fields(`{"a":"${'ü'.repeat(7000)}"}`)],
  ['Accept with many ranges', '{}', { Accept: 'application/jwt;q=0.1,'.repeat(700) }],
  ['Authorization with commas', '{}', { Authorization: 'Bearer ,'.repeat(2000) }],
  ['Authorization with spaces', '{}', { Authorization: `Bearer${' '.repeat(16_000)}x,` }],
  ['an opaque key of 16 KiB', '{}', { Authorization: `Bearer ${'='.repeat(16_000)}` }],
  ['a token of dots', '{}', { Authorization: `Bearer ${'.'.repeat(16_000)}` }],
  ['a token of nested JSON', '{}', { Authorization: token(base64url(`{"a":${'['.repeat(4000)}`)) }],
  ['a token of backslashes', '{}', { Authorization: token(base64url(`{"a":"${'\\"'.repeat(2000)}`)) }],
  ['a content type of spaces', '{}', { 'Content-Type': `application/json${' '.repeat(16_000)}x` }],
  ['an origin of 16 KiB', '{}', { Origin: `https://${'a.'.repeat(8000)}` }],
  ['a request id of 16 KiB', '{}', { 'X-Request-Id': 'x'.repeat(16_000) }],
]

const sessions = sessionJwt({
  issuer: 'https://id.test/',
  audience: 'api',
  jwks: new URL('https://id.test/jwks'),
})
const handlers = {
  'API keys': service({ authenticate }),
  sessions: service({ authenticate: sessions }),
}

test.each(HOSTILE)('a request with %s is cheap', async (_, body, headers = {}) => {
  for (const handler of Object.values(handlers)) {
    const time = await cpuTimeOf(async () => {
      const request = new Request(`${ORIGIN}/api/membrane-token`, {
        method: 'POST',
        headers: { Authorization: bearer, 'Content-Type': 'application/json', ...headers },
        body,
      })
      expect((await handler(request)).status).toBeLessThan(504)
    }, LIMIT)
    expect(time).toBeLessThan(LIMIT)
  }
})
