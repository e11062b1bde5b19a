import { createTokenProvider } from '../../src/client.ts'
import * as shapes from '../conformance/key-shapes.ts'
import type { ConformanceModule } from '../conformance/suite.ts'
import { assert, equal, rejects } from '../conformance/suite.ts'

const workspaceKey = 'workspace-key'
const secret = 'a secret of more than thirty-two bytes'

/** RFC 7515 appendix A.3, because an insecure page cannot generate keys. */
const publicKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
}
const privateKey = { ...publicKey, d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' }

/** For a real page without TLS, from a host other than localhost. */
export const insecurePage: ConformanceModule = (suite, lib) => {
  suite.test('is a page in an insecure context', () => {
    assert('document' in globalThis, 'not a page')
    assert(!globalThis.isSecureContext, 'a secure context')
    equal(globalThis.crypto?.subtle, undefined)
  })

  const materials = {
    'a secret': { secret },
    'secret bytes': { secret: new Uint8Array(32) },
    'a JWK': { privateKey },
    'a PEM': { privateKey: shapes.privatePem(privateKey) },
  }
  for (const [title, material] of Object.entries(materials)) {
    suite.test(`cannot sign with ${title}, with or without trustedBrowser`, async () => {
      for (const trustedBrowser of [false, true]) {
        const options = { workspaceKey, trustedBrowser, ...material }
        await rejects(() => lib.createSigner(options), 'ERR_UNTRUSTED_CONTEXT')
      }
    })
  }

  suite.test('cannot verify', async () => {
    for (const material of [{ secret }, { publicKey }, { jwks: { keys: [publicKey] } }]) {
      await rejects(() => lib.createVerifier({ workspaceKey, ...material }), 'ERR_UNTRUSTED_CONTEXT')
    }
  })

  suite.test('cannot generate keys', async () => {
    for (const algorithm of ['ES256', 'RS256'] as const) {
      await rejects(() => lib.generateKeyPair(algorithm), 'ERR_UNTRUSTED_CONTEXT')
    }
  })

  suite.test('can inspect tokens, and get them from an endpoint', () => {
    equal(lib.inspectToken('').problems[0]?.code, 'EMPTY')
    equal(typeof createTokenProvider({ url: '/api/membrane-token' }), 'function')
  })
}
