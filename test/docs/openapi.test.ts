import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { apiKeys, type RateLimitHook, refusal } from '../../src/endpoint.ts'
import { createSigner, generateKeyPair } from '../../src/index.ts'
import { createTokenService, createTokenServiceFromEnv } from '../../src/service.ts'
import { API_KEY, settings } from '../examples/exchanges.ts'

interface Documented {
  headers?: Record<string, { required?: boolean; schema?: object; $ref?: string }>
  content?: Record<string, { schema: object }>
}
interface Operation {
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, Documented>
}

const document = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
  components: { headers: Record<string, { required?: boolean; schema?: object }> }
}

const ajv = new Ajv2020({ strict: false })
formats.default(ajv)
ajv.addSchema(document, 'openapi')

/** Validates a value against a schema of the document, whose references are resolved against the document. */
function validate(schema: object, value: unknown): void {
  const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')) as object
  const check = ajv.compile(absolute)
  expect(check(value) ? [] : check.errors).toEqual([])
}

const keys = JSON.parse(settings.API_KEYS!)
const { privateKey } = await generateKeyPair()
const signer = await createSigner({ workspaceKey: 'workspace-1', privateKey, keyId: 'key-1' })

const createService = (rateLimit?: RateLimitHook) =>
  createTokenService({
    signer,
    authenticate: apiKeys({ keys }),
    oauthIssuer: 'https://tokens.example.com',
    apiUri: 'https://membrane.example.com',
    rateLimit,
  })

const service = createService()
const failWith = (error: Error) => createService(() => Promise.reject(error))
const rateLimited = failWith(refusal('ERR_RATE_LIMITED', 'Too many requests.'))
const unavailable = failWith(refusal('ERR_KEY_UNAVAILABLE', 'The key is unreachable.'))
const failing = failWith(new TypeError())
const unconfigured = createTokenServiceFromEnv({})

const bearer = { Authorization: `Bearer ${API_KEY}` }
const json = { ...bearer, 'Content-Type': 'application/json' }
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const client = `client_id=backend&client_secret=${API_KEY}&grant_type=client_credentials`

const CASES: [
  status: number,
  request: string,
  init?: { headers?: Record<string, string>; body?: string },
  handler?: typeof service,
][] = [
  [
    200,
    'POST /api/membrane-token',
    { headers: json, body: '{"id":"customer-42","name":"Acme","fields":{"a":1}}' },
  ],
  [200, 'POST /api/membrane-token', { headers: { ...json, Accept: 'application/jwt' }, body: '{"id":"c"}' }],
  [400, 'GET /api/membrane-token', { headers: bearer }],
  [400, 'POST /api/membrane-token', { headers: json, body: '{"id":"c","expires_in":1}' }],
  [401, 'POST /api/membrane-token'],
  [401, 'GET /api/membrane-token', { headers: { Authorization: 'Bearer unknown' } }],
  [403, 'GET /api/membrane-token', { headers: { Origin: 'https://evil.example' } }],
  [405, 'PUT /api/membrane-token'],
  [413, 'POST /api/membrane-token', { headers: json, body: `{"id":"${'a'.repeat(20_000)}"}` }],
  [415, 'POST /api/membrane-token', { headers: { ...json, 'Content-Type': 'text/plain' }, body: '{}' }],
  [429, 'POST /api/membrane-token', { headers: json, body: '{"id":"c"}' }, rateLimited],
  [500, 'GET /api/membrane-token', { headers: bearer }, failing],
  [503, 'GET /api/membrane-token', { headers: bearer }, unavailable],
  [503, 'GET /api/membrane-token', {}, unconfigured],
  [200, 'POST /api/membrane-admin-token', { headers: json, body: '{"expiresIn":"10m"}' }],
  [200, 'POST /api/membrane-admin-token', { headers: bearer }],
  [400, 'POST /api/membrane-admin-token', { headers: json, body: '{"id":"c"}' }],
  [401, 'POST /api/membrane-admin-token'],
  [403, 'POST /api/membrane-admin-token', { headers: { ...bearer, Origin: 'https://tokens.example.com' } }],
  [405, 'GET /api/membrane-admin-token'],
  [413, 'POST /api/membrane-admin-token', { headers: json, body: ' '.repeat(20_000) }],
  [415, 'POST /api/membrane-admin-token', { headers: { ...json, 'Content-Type': 'text/plain' }, body: '{}' }],
  [429, 'POST /api/membrane-admin-token', { headers: bearer }, rateLimited],
  [500, 'POST /api/membrane-admin-token', { headers: bearer }, failing],
  [503, 'POST /api/membrane-admin-token', { headers: bearer }, unconfigured],
  [200, 'GET /.well-known/jwks.json'],
  [503, 'GET /.well-known/jwks.json', {}, unconfigured],
  [200, 'GET /health'],
  [200, 'GET /healthz'],
  [503, 'GET /health', {}, unconfigured],
  [503, 'GET /healthz', {}, unconfigured],
  [200, 'GET /ready'],
  [200, 'GET /readyz'],
  [503, 'GET /ready', {}, unconfigured],
  [503, 'GET /readyz', {}, unconfigured],
  [200, 'POST /oauth/token', { headers: form, body: `${client}&scope=admin` }],
  [400, 'POST /oauth/token', { headers: form, body: client }],
  [401, 'POST /oauth/token', { headers: form, body: `${client}&scope=admin`.replace(API_KEY, 'other') }],
  [429, 'POST /oauth/token', { headers: form, body: `${client}&scope=admin` }, rateLimited],
  [500, 'POST /oauth/token', { headers: form, body: `${client}&scope=admin` }, failing],
  [503, 'POST /oauth/token', { headers: form, body: `${client}&scope=admin` }, unavailable],
  [200, 'GET /.well-known/oauth-authorization-server'],
]

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})

describe('responses match the OpenAPI document', () => {
  test.each(CASES)('%i %s', async (status, request, { headers = {}, body } = {}, handler = service) => {
    const [method = '', path = ''] = request.split(' ')
    const response = await handler(
      new Request(`https://tokens.example.com${path}`, {
        method,
        headers,
        ...(body !== undefined && { body }),
      }),
    )
    expect(response.status).toBe(status)
    const operations = document.paths[path]!
    const operation = operations[method.toLowerCase()] ?? Object.values(operations)[0]!
    const documented = operation.responses[status]!
    expect(documented, `${status} is not documented`).toBeDefined()
    const type = response.headers.get('Content-Type') ?? ''
    const media = documented.content?.[type]
    expect(media, `${type} is not documented`).toBeDefined()
    validate(media!.schema, /json$/.test(type) ? await response.json() : await response.text())
    for (const [name, header] of Object.entries(documented.headers ?? {})) {
      const { required, schema } = header.$ref ? document.components.headers[name]! : header
      const value = response.headers.get(name)
      if (required || value !== null) validate(schema!, value)
    }
  })
})

test('the cases cover every path and status in the document', () => {
  const covered = new Set(CASES.map(([status, request]) => `${status} ${request.split(' ')[1]}`))
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.values(operations).flatMap(({ responses = {} }) =>
      Object.keys(responses).map((status) => `${status} ${path}`),
    ),
  )
  expect([...covered].sort()).toEqual([...new Set(documented)].sort())
})

test('the document allows valid request bodies only', () => {
  const { schema } = document.paths['/api/membrane-token']!.post!.requestBody!.content['application/json']!
  validate(schema, { id: 'c', name: 'n', fields: { a: 1 }, expiresIn: '2h' })
  validate(schema, { expiresIn: 60 })
  expect(() => validate(schema, { id: 'c', expires_in: 60 })).toThrow()
})
