import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { expect } from 'vitest'

export interface ApiKeySetting {
  name: string
  sha256: string
  scopes: string[]
}

export type Bindings = Record<string, string>

const root = new URL('../../', import.meta.url)

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
export const randomKey = (): string => randomBytes(32).toString('base64url')

/** Settings that work, with a key of every scope. */
export function makeSettings(): { settings: Bindings; secret: string; apiKeys: Record<string, string> } {
  const secret = randomKey()
  const apiKeys = { backend: randomKey(), backendNext: randomKey(), console: randomKey() }
  const settings = {
    MEMBRANE_WORKSPACE_KEY: 'workspace-under-test',
    MEMBRANE_WORKSPACE_SECRET: secret,
    API_KEYS: JSON.stringify([
      { name: 'backend', sha256: sha256(apiKeys.backend), scopes: ['customer'] },
      { name: 'backend', sha256: sha256(apiKeys.backendNext).toUpperCase(), scopes: ['customer'] },
      { name: 'console', sha256: sha256(apiKeys.console), scopes: ['admin'] },
    ] satisfies ApiKeySetting[]),
  }
  return { settings, secret, apiKeys }
}

/** The Worker as wrangler.toml describes it, so that tests run what is deployed. */
export async function workerOptions(): Promise<{
  modules: true
  script: string
  compatibilityDate: string
  compatibilityFlags: string[]
}> {
  const config = await readFile(new URL('wrangler.toml', root), 'utf8')
  const [, compatibilityDate = ''] = /^compatibility_date = "(.*)"$/m.exec(config) ?? []
  const [, flags = ''] = /^compatibility_flags = (\[.*\])$/m.exec(config) ?? []
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('worker/index.ts', root))],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
  })
  return {
    modules: true,
    script: outputFiles[0]!.text,
    compatibilityDate,
    compatibilityFlags: JSON.parse(flags),
  }
}

/** A workerd of its own with the Worker in it, and everything it logged. */
export async function startWorker(bindings: Bindings): Promise<{ miniflare: Miniflare; logged: string[] }> {
  const logged: string[] = []
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...(await workerOptions()),
      bindings,
      handleStructuredLogs: ({ message }) => logged.push(message),
    }),
  )
  await miniflare.ready
  return { miniflare, logged }
}

interface ResponseLike {
  status: number
  headers: { get(name: string): string | null }
  json(): Promise<unknown>
}

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Asserts everything RFC 9457 and the contract say about an error, and gives its detail. */
export async function expectProblem(response: ResponseLike, status: number, code: string): Promise<string> {
  const body = (await response.json()) as Record<string, unknown>
  expect({ status: response.status, code: body.code }).toEqual({ status, code })
  expect(response.headers.get('Content-Type')).toBe('application/problem+json')
  expect(response.headers.get('Cache-Control')).toBe('no-store')
  expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')
  expect(body).toEqual({
    type: 'about:blank',
    title: TITLES[status],
    status,
    detail: expect.stringMatching(/\S/),
    code,
    requestId: expect.stringMatching(/^[\w=-]+$/),
    error: TITLES[status],
  })
  return body.detail as string
}
