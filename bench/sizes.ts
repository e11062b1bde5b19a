// Measures bundle sizes.
import { Buffer } from 'node:buffer'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { bundle } from './bundling.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface Size {
  readonly name: string
  readonly ours: boolean
  readonly minified: number
  readonly gzipped: number
}

/** Code that uses one part of the package. */
const OURS: Record<string, string> = {
  createSigner: `export { createSigner } from './src/index.ts'`,
  createVerifier: `export { createVerifier } from './src/index.ts'`,
  inspectToken: `export { inspectToken } from './src/index.ts'`,
  'membrane-token/client': `export * from './src/client.ts'`,
  'membrane-token/endpoint': `export * from './src/endpoint.ts'`,
  'the Worker': `export { default } from './worker/index.ts'`,
}

const PEERS: Record<string, string> = {
  'jose: SignJWT, importPKCS8': `export { SignJWT } from 'jose/jwt/sign'; export { importPKCS8 } from 'jose/key/import'`,
  'jose: jwtVerify, importSPKI': `export { jwtVerify } from 'jose/jwt/verify'; export { importSPKI } from 'jose/key/import'`,
  'jose, all of it': `export * from 'jose'`,
  '@tsndr/cloudflare-worker-jwt: sign': `export { sign } from '@tsndr/cloudflare-worker-jwt'`,
  'hono/jwt: sign': `export { sign } from 'hono/jwt'`,
  'jsonwebtoken (and node:crypto)': `export { default } from 'jsonwebtoken'`,
  'fast-jwt: createSigner (and node:crypto)': `export { createSigner } from 'fast-jwt'`,
}

export async function measureSizes(): Promise<Size[]> {
  const measure = async (name: string, code: string, ours: boolean): Promise<Size> => {
    const text = await minify(code)
    return { name, ours, minified: Buffer.byteLength(text), gzipped: gzipSync(text, { level: 9 }).length }
  }
  return Promise.all([
    ...Object.entries(OURS).map(([name, code]) => measure(name, code, true)),
    ...Object.entries(PEERS).map(([name, code]) => measure(name, code, false)),
  ])
}

export const bundleWorker = (): Promise<string> => minify(OURS['the Worker'] ?? '')

const minify = (code: string): Promise<string> =>
  bundle({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    minify: true,
    external: [...builtinModules, 'node:*'],
  })
