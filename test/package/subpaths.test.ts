import { expect, test } from 'vitest'
import { bundle, FETCH } from './bundling.ts'

const CRYPTO = /\bcrypto\b|\bsubtle\b/

interface Case {
  code: string
  /** Files that must be in the bundle. */
  needs: string[]
  /** Files that must not be in the bundle. */
  excludes: RegExp
  /** Code that must not be in the bundle. */
  text: RegExp[]
}

const CASES: Record<string, Case> = {
  'the client': {
    code: `export * from 'membrane-token/client'`,
    needs: ['dist/client/token-provider.js'],
    excludes: /^(?!dist\/(client\/[\w-]+|errors)\.js$|<stdin>$)/,
    text: [CRYPTO],
  },
  'an endpoint for API keys': {
    code: `export { apiKeys, createTokenEndpoint } from 'membrane-token/endpoint'`,
    needs: ['dist/endpoint/token-endpoint.js', 'dist/endpoint/auth/api-keys.js'],
    excludes: /verifier|jwks|keys\/|session|access|workload|inspect|service/,
    text: [FETCH, /\b(subtle\.verify|importKey|subtle\.sign)\(/],
  },
  'generating key pairs': {
    code: `export { generateKeyPair } from 'membrane-token'`,
    needs: ['dist/keys/generate.js'],
    excludes: /verif|key-set|inspect|signer|endpoint|provider/,
    text: [FETCH],
  },
  'inspecting tokens': {
    code: `export { inspectToken } from 'membrane-token'`,
    needs: ['dist/inspect/inspect-token.js'],
    excludes: /verifier|keys\/(?!formats\/pem)|key-pair|signer|endpoint|provider|jose/,
    text: [FETCH, CRYPTO, /\b(verify|importKey)\(/],
  },
  'verifying with a secret, a key or a key set': {
    code: `export { createVerifier } from 'membrane-token'`,
    needs: ['dist/token/verifier.js'],
    excludes: /signer|inspect|problems|key-pair|endpoint|provider/,
    text: [/\b(sign|generateKey)\(/],
  },
}

test.each(Object.entries(CASES))('%s: bundles nothing else', async (_, { code, needs, excludes, text }) => {
  const bundled = await bundle(code)
  expect(bundled.paths).toEqual(expect.arrayContaining(needs))
  expect(bundled.paths.filter((path) => excludes.test(path))).toEqual([])
  for (const pattern of [...text, /node:/]) expect(bundled.text).not.toMatch(pattern)
})
