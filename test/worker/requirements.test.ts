import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { expectNothingLeaked, randomKey } from './harness.ts'

const readme = await readFile(new URL('README.md', import.meta.url), 'utf8')

/** Requirement, file, and the names of the `describe`, `test` or row that prove it. */
const proofs = readme
  .split('\n')
  .filter((line) => /^\| (RFC|ASVS) /.test(line))
  .flatMap((line) => {
    const [, requirement = '', , cell = ''] = line.split(/ ?\| ?/)
    return cell.split('<br>').map((proof) => {
      const [, file = '', path = ''] = /^`([\w./-]+\.ts)`: (.+)$/.exec(proof) ?? []
      return { requirement, proof, file, names: path.split(' › ') }
    })
  })

describe('the table of requirements', () => {
  test.each(proofs)('$requirement is tested by $proof', async ({ file, names }) => {
    // Files of other folders are listed with their folder.
    const source = await readFile(new URL(file.includes('/') ? `../${file}` : file, import.meta.url), 'utf8')
    for (const name of names) {
      expect(
        ["'", '"', '`'].some((quote) => source.includes(`${quote}${name}${quote}`)),
        name,
      ).toBe(true)
    }
  })

  test.each([
    'RFC 6750',
    'RFC 9457',
    'RFC 8725',
    'RFC 9110',
    'ASVS 3.4',
    'ASVS 3.5',
    'ASVS 4.1',
    'ASVS 9.1',
    'ASVS 9.2',
    'ASVS 16.2',
    'ASVS 16.5',
  ])('has %s', (standard) => {
    expect(proofs.map(({ requirement }) => requirement)).toContainEqual(
      expect.stringMatching(`^${standard.replace('.', '\\.')}[ .]`),
    )
  })
})

// This check of every test file must be able to fail.
describe('the scan of logs and responses', () => {
  const secret = randomKey()

  test.each([
    ['a secret', `the secret ${secret} is wrong`],
    ['a token', '{"a":"eyJhbGciOiJIUzUxMiJ9.eyJpZCI6ImMifQ.c2ln"}'],
    ['a private JWK', '{"kty":"EC","d":"AQAB"}'],
    ['a PEM', '-----BEGIN PRIVATE KEY-----'],
    ['a stack trace', 'Error\n    at fetch (worker.js:1:1)'],
  ])('finds %s', (_, text) => {
    expect(() => expectNothingLeaked([text], [])).toThrow()
    expect(() => expectNothingLeaked([], [text])).toThrow()
  })

  test('finds nothing in harmless text', () => {
    expectNothingLeaked(['{"requestId":"1","outcome":"issued"}'], ['{"token":"","expiresIn":7200}'])
  })
})
