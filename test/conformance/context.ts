import type { SignerOptions } from '../../src/index.ts'
import { replaceFor } from './globals.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { importFor, secret, workspaceKey } from './tokens.ts'

type Material = Pick<SignerOptions, 'secret' | 'privateKey'>

const rawMaterials: [string, () => Promise<Material>][] = [
  ['a secret', async () => ({ secret })],
  ['secret bytes', async () => ({ secret: new Uint8Array(32) })],
  ['a PEM', async () => ({ privateKey: shapes.privatePem(await privateJwk('P-256')) })],
  ['DER', async () => ({ privateKey: shapes.sec1(await privateJwk('P-256')) })],
  ['a JWK', async () => ({ privateKey: await privateJwk('P-256') })],
]

/** In a real page there is a document already, and it cannot be replaced; it need not be. */
function inPage(run: () => Promise<void>): Promise<void> {
  return 'document' in globalThis ? run() : replaceFor(globalThis, 'document', {}, run)
}

export const pages: ConformanceModule = (suite, lib) => {
  for (const [title, make] of rawMaterials) {
    suite.test(`a page cannot pass ${title} without trustedBrowser`, async () => {
      const material = await make()
      await inPage(async () => {
        await rejects(() => lib.createSigner({ workspaceKey, ...material }), 'ERR_UNTRUSTED_CONTEXT')
        const no = { workspaceKey, ...material, trustedBrowser: false }
        await rejects(() => lib.createSigner(no), 'ERR_UNTRUSTED_CONTEXT')
        const perhaps = { workspaceKey, ...material, trustedBrowser: 'true' } as unknown as SignerOptions
        const error = await lib.createSigner(perhaps).then(
          () => undefined,
          (thrown: Error) => thrown,
        )
        assert(error?.name === 'MembraneTokenError', 'only true itself is consent')
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

/** A browser's worker has no document; workerd and Deno have its global scope, and a user agent of their own. */
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

  suite.test('a browser’s worker cannot pass raw keys without trustedBrowser', async () => {
    const privateKey = await privateJwk('P-256')
    await inWorker(BROWSER, async (replaced) => {
      if (!replaced) return
      await rejects(() => lib.createSigner({ workspaceKey, secret }), 'ERR_UNTRUSTED_CONTEXT')
      await rejects(() => lib.createSigner({ workspaceKey, privateKey }), 'ERR_UNTRUSTED_CONTEXT')
      await rejects(() => lib.createVerifier({ workspaceKey, secret }), 'ERR_UNTRUSTED_CONTEXT')
      await lib.createSigner({ workspaceKey, privateKey, trustedBrowser: true })
    })
  })

  suite.test('servers with a worker’s global scope are not browsers', async () => {
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
      const privateKey = await privateJwk('P-256')
      await replaceFor(globalThis, 'crypto', value, async (replaced) => {
        if (!replaced) return
        for (const material of [{ secret }, { privateKey }]) {
          const options = { workspaceKey, ...material, trustedBrowser: true }
          await rejects(() => lib.createSigner(options), 'ERR_UNTRUSTED_CONTEXT')
        }
      })
    })
  }
}
