import type { SignerOptions } from '../../src/index.ts'
import { replaceFor } from './globals.ts'
import * as shapes from './key-shapes.ts'
import type { TestKeys } from './keys.ts'
import { privateJwk, publicJwk, testKeys } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier } from './token-fixtures.ts'
import { createTestSigner, importFor, secret, workspaceKey } from './tokens.ts'

type Material = Pick<SignerOptions, 'secret' | 'privateKey'>

const rawMaterials: [title: string, write: (keys: TestKeys) => Material][] = [
  ['a secret', () => ({ secret })],
  ['secret bytes', () => ({ secret: new Uint8Array(32) })],
  ['a PEM', ({ ec }) => ({ privateKey: shapes.privatePem(ec) })],
  ['DER', ({ ec }) => ({ privateKey: shapes.sec1(ec) })],
  ['a JWK', ({ ec }) => ({ privateKey: ec })],
]

/** A real page already has a document, which cannot be replaced. */
function inPage(run: () => Promise<void>): Promise<void> {
  return 'document' in globalThis ? run() : replaceFor(globalThis, 'document', {}, run)
}

export const pages: ConformanceModule = (suite, lib) => {
  for (const [title, write] of rawMaterials) {
    suite.test(`a page cannot pass ${title} without trustedBrowser`, async () => {
      const material = write(await testKeys())
      await inPage(async () => {
        for (const trustedBrowser of [undefined, false, 'true']) {
          const options = { workspaceKey, ...material, trustedBrowser } as SignerOptions
          await rejects(() => lib.createSigner(options), 'ERR_UNTRUSTED_CONTEXT')
        }
        const signer = await lib.createSigner({ workspaceKey, ...material, trustedBrowser: true })
        assert((await signer.signAdminToken()).token)
      })
    })
  }

  suite.test('a page can use a CryptoKey', async () => {
    const secretKey = await importFor('HS256', secret, 'sign')
    const privateKey = await importFor('ES256', await privateJwk('P-256'), 'sign')
    await inPage(async () => {
      for (const material of [{ secret: secretKey }, { privateKey }]) {
        const signer = await lib.createSigner({ workspaceKey, ...material })
        assert((await signer.signAdminToken()).token)
      }
    })
  })
}

/** A browser's worker has no document. workerd and Deno have its global scope too, but another user agent. */
async function inWorker(userAgent: string, run: (replaced: boolean) => Promise<void>): Promise<void> {
  await replaceFor(globalThis, 'WorkerGlobalScope', class {}, (hasScope) =>
    replaceFor(globalThis, 'navigator', { userAgent }, (hasAgent) => run(hasScope && hasAgent)),
  )
}

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0'

export const trustedContexts: ConformanceModule = (suite, lib) => {
  suite.test('a page cannot verify with a secret without trustedBrowser', async () => {
    await inPage(async () => {
      for (const create of [lib.createVerifier, lib.createRequestVerifier]) {
        const error = await rejects(() => create({ workspaceKey, secret }), 'ERR_UNTRUSTED_CONTEXT')
        equal((error as { option?: string }).option, 'secret')
        await create({ workspaceKey, secret, trustedBrowser: true })
        await create({ workspaceKey, secret: await importFor('HS256', secret, 'verify') })
      }
      await lib.createVerifier({ workspaceKey, publicKey: await publicJwk('P-256') })
    })
  })

  suite.test('a web worker cannot pass raw keys without trustedBrowser', async () => {
    const privateKey = await privateJwk('P-256')
    await inWorker(BROWSER, async (replaced) => {
      if (!replaced) return
      await rejects(() => lib.createSigner({ workspaceKey, secret }), 'ERR_UNTRUSTED_CONTEXT')
      await rejects(() => lib.createSigner({ workspaceKey, privateKey }), 'ERR_UNTRUSTED_CONTEXT')
      await rejects(() => lib.createVerifier({ workspaceKey, secret }), 'ERR_UNTRUSTED_CONTEXT')
      await lib.createSigner({ workspaceKey, privateKey, trustedBrowser: true })
    })
  })

  suite.test('a server with the global scope of a web worker is not a browser', async () => {
    for (const userAgent of ['Cloudflare-Workers', 'Deno/2.9.5', 'Node.js/24', 'Bun/1.4.5']) {
      await inWorker(userAgent, async (replaced) => {
        if (!replaced || 'document' in globalThis) return
        await lib.createSigner({ workspaceKey, secret })
        await lib.createVerifier({ workspaceKey, secret })
      })
    }
  })
}

export const insecureContexts: ConformanceModule = (suite, lib) => {
  for (const [title, value] of [
    ['no crypto.subtle', {}],
    ['no crypto', undefined],
  ] as const) {
    suite.test(`${title}, as in a page served without TLS`, async () => {
      const [privateKey, publicKey] = [await privateJwk('P-256'), await publicJwk('P-256')]
      await replaceFor(globalThis, 'crypto', value, async (replaced) => {
        if (!replaced) return
        for (const create of [
          () => createTestSigner(lib, { secret }),
          () => createTestSigner(lib, { privateKey }),
          () => createTestVerifier(lib, { secret }),
          () => createTestVerifier(lib, { publicKey }),
          () => lib.generateKeyPair(),
        ]) {
          await rejects(create, 'ERR_UNTRUSTED_CONTEXT')
        }
      })
    })
  }
}
