import vm from 'node:vm'
import { gzipSync } from 'node:zlib'
import type { BuildOptions } from 'esbuild'
import { expect, test } from 'vitest'
import { bundle, FETCH } from './bundling.ts'

/** Bytes, gzipped. In `createSigner`, `jose` (`importJWK`, base64url) takes 2.4 kB, and messages take 2.8 kB. */
const LIMITS = [
  { name: 'createSigner', code: `export { createSigner } from 'membrane-token'`, limit: 13_824 },
  { name: 'membrane-token/client', code: `export * from 'membrane-token/client'`, limit: 1740 },
  { name: 'the Worker', code: `export { default } from './worker/index.ts'`, limit: 42_496 },
] as const

// Importing the public name, which resolves to `dist/`, also tests `exports`.
test('createSigner bundles only code for signing', async () => {
  const { text, inputs, paths } = await bundle(`export { createSigner } from 'membrane-token'`)
  console.log(inputs.map(({ path, bytes }) => `${String(bytes).padStart(6)}  ${path}`).join('\n'))

  expect(paths).toContain('dist/token/signer.js')
  expect(paths.filter((path) => !/^(dist|node_modules\/jose)\/|^<stdin>$/.test(path))).toEqual([])
  const others = /encrypt|decrypt|verif|inspect|jwks|key-set|key-pair|endpoint|provider/i
  expect(paths.filter((path) => others.test(path))).toEqual([])
  // Minification keeps the names of Web Crypto functions.
  expect(text).not.toMatch(/\.(encrypt|decrypt|wrapKey|unwrapKey|deriveBits|deriveKey)\(/)
  expect(text).not.toMatch(FETCH)
  // One call site: it verifies a private key's first signature, and every signature of a remote key.
  expect(text.match(/\.verify\(/g)).toHaveLength(1)
  expect(text).not.toContain('node:')
})

test('the client bundles only its own files', async () => {
  const { paths } = await bundle(`export * from 'membrane-token/client'`)
  expect(paths.filter((path) => path !== '<stdin>').sort()).toEqual([
    'dist/client/countdown.js',
    'dist/client/retry.js',
    'dist/client/token-provider.js',
    'dist/client/token-request.js',
    'dist/errors.js',
  ])
})

test.each(LIMITS)('$name is within its size limit', async ({ name, code, limit }) => {
  const { text } = await bundle(code)
  const size = gzipSync(text, { level: 9 }).length
  console.log(`${name}: ${text.length} bytes minified, ${size} gzipped (limit: ${limit})`)
  expect(size).toBeLessThanOrEqual(limit)
})

// Not service, which builds its schemas when it is imported.
test.each(['index', 'endpoint', 'client', 'kms'])('importing %s has no side effects', async (entry) => {
  // With `sideEffects: false`, the bundle of a bare import would be empty in any case.
  const ignoreSideEffectsField: NonNullable<BuildOptions['plugins']>[number] = {
    name: 'ignore-side-effects-field',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^\./ }, async ({ pluginData, path, ...args }) => {
        if (pluginData === ignoreSideEffectsField) return undefined
        const resolved = await resolve(path, { ...args, pluginData: ignoreSideEffectsField })
        return { ...resolved, sideEffects: true }
      })
    },
  }
  const { text } = await bundle(`import './src/${entry}.ts'`, {
    plugins: [ignoreSideEffectsField],
    external: ['jose/*', 'aws4fetch'],
  })
  // esbuild keeps expressions that it does not evaluate, such as `16 * 1024`.
  const rest = text.replaceAll(/(var )?\w+=[\de*]+[,;]/g, '')
  expect(rest.replaceAll(/import(\{[^}]*\}from)?"(jose\/[\w/]+|aws4fetch)";/g, '').trim()).toBe('')
})

const ENTRIES = ['index', 'endpoint', 'service', 'client', 'kms']

test.each(ENTRIES)('importing %s does not use Web Crypto, the clock or the environment', async (entry) => {
  const { text } = await bundle(`export * from './src/${entry}.ts'`, {
    format: 'iife',
    globalName: 'lib',
    treeShaking: false,
  })
  const used: string[] = []
  const globals: Record<string, unknown> = { TextEncoder, TextDecoder, URL, Headers, Request, Response }
  const watched = ['crypto', 'fetch', 'document', 'process', 'Buffer', 'Deno', 'Bun', 'setTimeout', 'console']
  for (const name of watched) {
    Object.defineProperty(globals, name, { get: () => void used.push(name) })
  }
  vm.runInNewContext(
    `Date = class { constructor() { throw new Error('clock') } static now() { throw new Error('clock') } }
    Math.random = () => { throw new Error('randomness') }
    ${text}`,
    globals,
  )
  expect(used).toEqual([])
})
