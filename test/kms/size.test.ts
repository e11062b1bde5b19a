import { build } from 'esbuild'
import { expect, test } from 'vitest'

/** A string that only the code of one provider contains. */
const PROVIDERS = {
  awsKms: 'TrentService',
  azureKeyVault: 'login.microsoftonline.com',
  googleKms: 'cloudkms.googleapis.com',
  vaultTransit: 'x-vault-token',
}

test.each(Object.keys(PROVIDERS))('importing %s does not bundle the other providers', async (provider) => {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${provider} } from './src/kms.ts'`, resolveDir: '.', loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    minify: true,
    write: false,
  })
  const code = outputFiles[0]?.text ?? ''
  const bundled = Object.entries(PROVIDERS).flatMap(([name, text]) => (code.includes(text) ? [name] : []))
  expect(bundled).toEqual([provider])
})
