import { expect, test } from 'vitest'
import { bundle } from './bundling.ts'

// Engine calls and properties keep their names when minified, whichever module they come from.
const FETCH = /\bfetch\b|XMLHttpRequest/
const CRYPTO = /\bcrypto\b|\bsubtle\b/

interface Case {
  code: string
  needs: string[]
  /** Files of the package, and of jose, that have no business in it. */
  paths?: RegExp
  text: RegExp[]
}

const CASES: Record<string, Case> = {
  'the client': {
    code: `export * from 'membrane-token/client'`,
    needs: ['dist/client/token-provider.js'],
    paths: /^(?!dist\/(client\/[\w-]+|errors)\.js$|<stdin>$)/,
    text: [CRYPTO],
  },
  'an endpoint for API keys': {
    code: `export { apiKeys, createTokenEndpoint } from 'membrane-token/endpoint'`,
    needs: ['dist/endpoint/token-endpoint.js', 'dist/endpoint/auth/api-keys.js'],
    paths: /verifier|jwks|keys\/|session|access|workload|inspect|service/,
    text: [FETCH, /\b(subtle\.verify|importKey|subtle\.sign)\(/],
  },
  'generating key pairs': {
    code: `export { generateKeyPair } from 'membrane-token'`,
    needs: ['dist/keys/generate.js'],
    paths: /verif|key-set|inspect|signer|endpoint|provider/,
    text: [FETCH],
  },
  'inspecting tokens': {
    code: `export { inspectToken } from 'membrane-token'`,
    needs: ['dist/inspect/inspect-token.js'],
    paths: /verifier|keys\/(?!formats\/pem)|key-pair|signer|endpoint|provider|jose/,
    text: [FETCH, CRYPTO, /\b(verify|importKey)\(/],
  },
  'signing tokens': {
    code: `export { createSigner } from 'membrane-token'`,
    needs: ['dist/token/signer.js'],
    paths: /verif|key-set|inspect|key-pair|endpoint|provider/,
    text: [FETCH],
  },
  'verifying with a secret, a key or a key set': {
    code: `export { createVerifier } from 'membrane-token'`,
    needs: ['dist/token/verifier.js'],
    paths: /signer|inspect|problems|key-pair|endpoint|provider/,
    text: [/\b(sign|generateKey)\(/],
  },
}

test.each(Object.entries(CASES))(
  '%s brings nothing else',
  async (_, { code, needs, paths: unwanted, text }) => {
    const bundled = await bundle(code)
    expect(bundled.paths).toEqual(expect.arrayContaining(needs))
    expect(bundled.paths.filter((path) => unwanted?.test(path))).toEqual([])
    for (const pattern of [...text, /node:/]) expect(bundled.text).not.toMatch(pattern)
  },
)
