import { existsSync, readdirSync, readFileSync } from 'node:fs'
import vm from 'node:vm'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import { bundle, root } from './bundling.ts'

/** Bytes, gzipped. Of `createSigner`, `jose` (`importJWK`, base64url) is 2.4 kB, and what messages say 2.8 kB. */
const MAX_GZIPPED = 13_824
const LIMITS = [
  { name: 'membrane-token/client', code: `export * from 'membrane-token/client'`, limit: 1740 },
  { name: 'the Worker', code: `export { default } from './worker/index.ts'`, limit: 42_496 },
] as const

// Bundling by the public name proves `exports` as well; it resolves to `dist/`.
test('signing brings nothing but signing', async () => {
  const { text, inputs, paths } = await bundle(`export { createSigner } from 'membrane-token'`)
  const size = gzipSync(text, { level: 9 }).length
  console.log(`createSigner: ${text.length} bytes minified, ${size} gzipped (at most ${MAX_GZIPPED})`)
  console.log(inputs.map(({ path, bytes }) => `${String(bytes).padStart(6)}  ${path}`).join('\n'))

  expect(paths).toContain('dist/token/signer.js')
  expect(paths.filter((path) => !/^(dist|node_modules\/jose)\/|^<stdin>$/.test(path))).toEqual([])
  expect(paths.filter((path) => /encrypt|decrypt|verif|inspect|jwks|remote-key-set/i.test(path))).toEqual([])
  // Engine calls keep their names when minified, whichever module they come from.
  expect(text).not.toMatch(/\.(encrypt|decrypt|wrapKey|unwrapKey|deriveBits|deriveKey)\(/)
  // One: a private key is tried once, and a remote key for every token.
  expect(text.match(/\.verify\(/g)).toHaveLength(1)
  expect(text).not.toContain('node:')
  expect(size).toBeLessThanOrEqual(MAX_GZIPPED)
})

test.each(LIMITS)('$name is small', async ({ name, code, limit }) => {
  const { text } = await bundle(code)
  const size = gzipSync(text, { level: 9 }).length
  console.log(`${name}: ${text.length} bytes minified, ${size} gzipped (at most ${limit})`)
  expect(size).toBeLessThanOrEqual(limit)
})

const entries = ['index', 'endpoint', 'client'].filter((entry) => existsSync(`${root}/src/${entry}.ts`))

test.each(entries)('importing %s leaves nothing behind', async (entry) => {
  // `sideEffects: false` would make any bundle of a bare import empty, so that nothing would be proven.
  const honest: NonNullable<BuildOptions['plugins']>[number] = {
    name: 'ignore-side-effects-field',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^\./ }, async ({ pluginData, path, ...args }) => {
        if (pluginData === honest) return undefined
        return { ...(await resolve(path, { ...args, pluginData: honest })), sideEffects: true }
      })
    },
  }
  const { text } = await bundle(`import './src/${entry}.ts'`, { plugins: [honest], external: ['jose/*'] })
  // esbuild keeps what it does not compute, such as `16 * 1024`.
  const rest = text.replaceAll(/(var )?\w+=[\de*]+[,;]/g, '')
  expect(rest.replaceAll(/import(\{[^}]*\}from)?"jose\/[\w/]+";/g, '').trim()).toBe('')
})

test.each(entries)('importing %s touches no engine, clock or environment', async (entry) => {
  const { text } = await bundle(`export * from './src/${entry}.ts'`, {
    format: 'iife',
    globalName: 'lib',
    treeShaking: false,
  })
  const touched: string[] = []
  const globals: Record<string, unknown> = { TextEncoder, TextDecoder, URL, Headers, Request, Response }
  const watched = ['crypto', 'fetch', 'document', 'process', 'Buffer', 'Deno', 'Bun', 'setTimeout', 'console']
  for (const name of watched) {
    Object.defineProperty(globals, name, { get: () => void touched.push(name) })
  }
  vm.runInNewContext(
    `Date = class { constructor() { throw new Error('clock') } static now() { throw new Error('clock') } }
    Math.random = () => { throw new Error('randomness') }
    ${text}`,
    globals,
  )
  expect(touched).toEqual([])
})

test('the sources name nothing that only Node has', () => {
  const sources = readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  )
  expect(sources).not.toEqual([])
  for (const path of sources) {
    // Examples in comments may read `process.env`; code may not.
    const { code } = transformSync(readFileSync(`${root}/src/${path}`, 'utf8'), {
      loader: 'ts',
      minifyWhitespace: true,
    })
    expect(code, path).not.toMatch(/\bnode:|\bBuffer\b|\bprocess\.|\brequire\(/)
  }
})
