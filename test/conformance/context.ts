import type { SignerOptions } from '../../src/index.ts'
import { armour } from './encoding.ts'
import { replaceFor } from './globals.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, rejects } from './suite.ts'
import { importFor, secret, workspaceKey } from './tokens.ts'

type Material = Pick<SignerOptions, 'secret' | 'privateKey'>

const rawMaterials: [string, () => Promise<Material>][] = [
  ['a secret', async () => ({ secret })],
  ['secret bytes', async () => ({ secret: new Uint8Array(32) })],
  ['a PEM', async () => ({ privateKey: armour('PRIVATE KEY', shapes.pkcs8Ec(await privateJwk('P-256'))) })],
  ['DER', async () => ({ privateKey: shapes.sec1(await privateJwk('P-256')) })],
  ['a JWK', async () => ({ privateKey: await privateJwk('P-256') })],
]

/** In a real page there is a document already, and it cannot be replaced; it need not be. */
function inPage(run: () => Promise<void>): Promise<void> {
  return 'document' in globalThis ? run() : replaceFor(globalThis, 'document', {}, run)
}

export const pages: ConformanceModule = (suite, lib) => {
  for (const [title, make] of rawMaterials) {
    suite.test(`a page may not hold ${title} unless it says so`, async () => {
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

  suite.test('a page may use a CryptoKey', async () => {
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
