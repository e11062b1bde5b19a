import { build } from 'esbuild'
import { expect, test } from 'vitest'

/** A text that only one provider's code holds. */
const PROVIDERS = {
  awsKms: 'TrentService',
  azureKeyVault: 'login.microsoftonline.com',
  googleKms: 'cloudkms.googleapis.com',
  vaultTransit: 'x-vault-token',
}

test.each(Object.keys(PROVIDERS))('importing %s leaves the other providers out', async (provider) => {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${provider} } from './src/kms.ts'`, resolveDir: '.', loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    minify: true,
    write: false,
  })
  const code = outputFiles[0]?.text ?? ''
  const held = Object.entries(PROVIDERS).flatMap(([name, text]) => (code.includes(text) ? [name] : []))
  expect(held).toEqual([provider])
})
