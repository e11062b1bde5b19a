import { existsSync, globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { MembraneClient } from '@membranehq/sdk'
import jwt from 'jsonwebtoken'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { listPages, readPage, renderPage } from '../../scripts/docs.ts'
import * as client from '../../src/client.ts'
import * as endpoint from '../../src/endpoint.ts'
import * as module from '../../src/index.ts'
import * as service from '../../src/service.ts'

const root = new URL('../../', import.meta.url)
const workspaceKey = '5f1c0c9a-7a8b-4b1e-9a65-0b7f1f2d3c4e'
const secret = crypto.randomUUID() + crypto.randomUUID()
const pair = await module.generateKeyPair()
const signer = await module.createSigner({ workspaceKey, secret })
const remoteKey = await createRemoteKey()
const { token } = await signer.signCustomerToken({ id: 'customer-42' })
const requestClaims = { iss: workspaceKey, sub: 'customer-42', fields: {} }
const requestToken = jwt.sign(requestClaims, secret, { noTimestamp: true })

interface Example {
  handler?: (request: Request) => Promise<Response>
  GET?: (request: Request) => Promise<Response>
  connectMembrane?: (getSessionToken: () => Promise<string>) => MembraneClient
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe.each(listPages())('%s', (page) => {
  const text = readPage(page)

  test('has up-to-date examples and tables', () => {
    expect(renderPage(text)).toBe(text)
  })

  test('takes all its code from examples', () => {
    const markers = [...text.matchAll(/(.*)\n```(ts|js|tsx)\n/g)].map(([, marker]) => marker)
    expect(markers.filter((marker) => !/^<!-- examples\/\S+ -->$/.test(marker as string))).toEqual([])
  })

  test('has no broken links', () => {
    const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !hasTarget(page, link))).toEqual([])
  })

  test('mentions only existing npm scripts', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
    const names = [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, script = '']) => script)
    expect(names.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  test('does not install the unpublished package by its name', () => {
    expect(
      text.match(/(npx|bunx|npm (i|install|exec)|bun add|pnpm add|yarn add) membrane-token\b/g),
    ).toBeNull()
  })
})

test('docs/performance.md shows the measured cost', () => {
  const page = readPage('docs/performance.md')
  const [cost = ''] = /(?<=<!-- cost -->\n)[\s\S]*?(?=<!-- end -->)/.exec(page) ?? []
  expect(cost).toContain('a million tokens')
  expect(readFileSync(new URL('bench/results.md', root), 'utf8')).toContain(cost.trim())
})

test('README has at most 200 lines', () => {
  expect(readPage('README.md').split('\n').length).toBeLessThanOrEqual(200)
})

/** Whether a relative link leads to a file, and its fragment to a heading in that file. */
function hasTarget(page: string, link: string): boolean {
  const [path = '', fragment] = link.split('#')
  const target = path === '' ? new URL(page, root) : new URL(path, new URL(page, root))
  if (!existsSync(target)) return false
  if (fragment === undefined || !target.pathname.endsWith('.md')) return true
  const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  )
  return headings.includes(fragment)
}

// `npm run test:kms` runs examples/module/kms.ts, because it needs a server.
test.each(globSync('examples/module/*.ts', { cwd: root, exclude: ['examples/module/kms.ts'] }))(
  '%s runs',
  async (path) => {
    vi.stubEnv('MEMBRANE_WORKSPACE_KEY', workspaceKey)
    vi.stubEnv('MEMBRANE_WORKSPACE_SECRET', secret)
    vi.stubEnv('MEMBRANE_PRIVATE_KEY', pair.privateKey)
    vi.stubEnv('TOKEN', token)
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    vi.stubEnv('API_KEY_SHA256', 'ab'.repeat(32))
    const { handler, GET, connectMembrane } = (await import(new URL(path, root).href)) as Example
    if (GET) {
      // 503: the example needs settings that this test does not have.
      expect([401, 503]).toContain((await GET(new Request('https://api.example/api/membrane-token'))).status)
    } else if (connectMembrane) {
      expect(connectMembrane(async () => token)).toBeInstanceOf(MembraneClient)
    } else if (handler) {
      const headers = { 'X-Membrane-Token': requestToken }
      const response = await handler(new Request('https://api.example', { headers }))
      expect(await response.json()).toMatchObject({ hello: 'customer-42' })
    } else {
      expect(log).toHaveBeenCalled()
      expect(log.mock.calls.flat().map(String).join()).not.toMatch(/ERR_|false/)
    }
  },
)

// Names that the examples in TSDoc use.
const scope = {
  ...module,
  ...endpoint,
  ...client,
  ...service,
  Deno: { env: { toObject: () => ({}) }, serve: () => {} },
  // Mocks of the KMS providers.
  ...Object.fromEntries(
    ['awsKms', 'azureKeyVault', 'googleKms', 'vaultTransit'].map((name) => [name, async () => remoteKey]),
  ),
  ...remoteKey,
  myService: remoteKey,
  ...Object.fromEntries(
    [
      'accessKeyId',
      'clientId',
      'clientSecret',
      'keyVersionName',
      'secretAccessKey',
      'serviceAccountKey',
      'tenantId',
    ].map((name) => [name, 'x']),
  ),
  clusterKeys: { keys: [pair.publicJwk] },
  MembraneClient,
  workspaceKey,
  secret,
  privateKey: pair.privateKey,
  token,
  signer,
  request: new Request('https://api.example', { headers: { 'X-Membrane-Token': requestToken } }),
  env: { BACKEND_KEY_SHA256: 'ab'.repeat(32), CLOUDFLARE_ACCESS_AUDIENCE: 'cd'.repeat(32) },
  digest: 'ab'.repeat(32),
  session: { revoked: false },
}

const examples = globSync('src/**/*.ts', { cwd: root }).flatMap((path) => {
  const source = readFileSync(new URL(path, root), 'utf8')
  return [...source.matchAll(/^ *\* ```ts\n([\s\S]*?)^ *\* ```/gm)].map(([, block = ''], index) => ({
    name: `${path}, example ${index + 1}`,
    code: block.replace(/^ *\* ?/gm, '').replace(/^export /gm, ''),
  }))
})

test('TSDoc has examples', () => expect(examples.length).toBeGreaterThan(5))

test.each(examples)('$name runs', async ({ code }) => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const AsyncFunction = (async () => {}).constructor as new (
    ...source: string[]
  ) => (names: object) => Promise<unknown>
  await new AsyncFunction('scope', `with (scope) { ${stripTypeScriptTypes(code)} }`)(scope)
})

async function createRemoteKey(): Promise<module.RemoteKey> {
  const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(ecdsa, false, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  return {
    publicKey,
    sign: async (data) => new Uint8Array(await crypto.subtle.sign(ecdsa, privateKey, new Uint8Array(data))),
  }
}
