// The parts of Google Cloud KMS and Azure Key Vault that the providers use, with real signatures. Emulators of these
// services need a TLS certificate or do not sign.
import { execFileSync } from 'node:child_process'
import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  verify,
} from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface CloudServer {
  address: string
  serviceAccountKey: { client_email: string; private_key: string; token_uri: string }
  stop(): void
}

type Hash = 'sha256' | 'sha384' | 'sha512'
interface Key {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Google's name of the algorithm. */
  readonly algorithm: string
  readonly isDisabled?: boolean
}

const ec = (namedCurve: string, algorithm: string): Key => ({
  ...generateKeyPairSync('ec', { namedCurve }),
  algorithm,
})
const rsa = (algorithm: string): Key => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }),
  algorithm,
})

const KEYS: Readonly<Record<string, Key>> = {
  p256: ec('P-256', 'EC_SIGN_P256_SHA256'),
  p384: ec('P-384', 'EC_SIGN_P384_SHA384'),
  p521: ec('P-521', 'none'),
  secp256k1: ec('secp256k1', 'EC_SIGN_SECP256K1_SHA256'),
  rsa: rsa('RSA_SIGN_PKCS1_2048_SHA256'),
  pss: rsa('RSA_SIGN_PSS_2048_SHA256'),
  disabled: { ...ec('P-256', 'EC_SIGN_P256_SHA256'), isDisabled: true },
}

/** DigestInfo prefixes of RFC 8017 section 9.2, note 1. */
const DIGEST_INFO: Record<Hash, string> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
}

function signRsa(key: KeyObject, hash: Hash, digest: Buffer): Buffer {
  const info = Buffer.concat([Buffer.from(DIGEST_INFO[hash], 'hex'), digest])
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info)
}

/** Signs a digest with EMSA-PSS (RFC 8017 section 9.1.1). Node signs only whole messages. */
function signPss(key: KeyObject, hash: Hash, digest: Buffer): Buffer {
  const bits = 2047
  const size = Math.ceil(bits / 8)
  const salt = crypto.getRandomValues(Buffer.alloc(digest.length))
  const h = createHash(hash)
    .update(Buffer.concat([Buffer.alloc(8), digest, salt]))
    .digest()
  const db = Buffer.concat([Buffer.alloc(size - salt.length - h.length - 2), Buffer.from([1]), salt])
  const mask: Buffer[] = []
  for (let counter = 0; mask.length * h.length < db.length; counter++) {
    const suffix = Buffer.alloc(4)
    suffix.writeUInt32BE(counter)
    mask.push(createHash(hash).update(h).update(suffix).digest())
  }
  const stream = Buffer.concat(mask)
  for (let index = 0; index < db.length; index++)
    db[index] = (db[index] as number) ^ (stream[index] as number)
  db[0] = (db[0] as number) & (0xff >> (8 * size - bits))
  return privateEncrypt(
    { key, padding: constants.RSA_NO_PADDING },
    Buffer.concat([db, h, Buffer.from([0xbc])]),
  )
}

/** Signs a digest with ECDSA, as DER. Uses openssl, because Node signs only whole messages. */
function signEc(key: KeyObject, digest: Buffer): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'membrane-token-cloud-'))
  try {
    const file = join(folder, 'key.pem')
    writeFileSync(file, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    return execFileSync('openssl', ['pkeyutl', '-sign', '-inkey', file], { input: digest })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Converts a DER signature to the format of RFC 7518 section 3.4: r and s, of equal length. */
function toJose(der: Buffer, size: number): Buffer {
  const numbers: Buffer[] = []
  for (let offset = der[1] === 0x81 ? 3 : 2; offset < der.length; ) {
    const length = der[offset + 1] as number
    const number = der.subarray(offset + 2, offset + 2 + length)
    const trimmed = number.subarray(number.findIndex((byte) => byte !== 0))
    numbers.push(Buffer.concat([Buffer.alloc(size - trimmed.length), trimmed]))
    offset += 2 + length
  }
  return Buffer.concat(numbers)
}

const FIELD_SIZES: Readonly<Record<string, number>> = { ES256: 32, ES384: 48, ES512: 66 }

const TOKEN = `access-${crypto.randomUUID()}`

export async function startCloudServer(): Promise<CloudServer> {
  const account = generateKeyPairSync('rsa', { modulusLength: 2048 })
  let address = ''
  const server = createServer(async (request, response) => {
    const body = await readBody(request)
    const [status, reply] = route(request, body, account.publicKey, address)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    address,
    serviceAccountKey: {
      client_email: 'signer@project.iam.gserviceaccount.com',
      private_key: account.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      token_uri: `${address}/token`,
    },
    stop: () => server.close(),
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

type Reply = [status: number, body: object]

function route(request: IncomingMessage, body: string, account: KeyObject, address: string): Reply {
  const url = new URL(request.url ?? '', address)
  if (url.pathname === '/token') return issueToken(new URLSearchParams(body), account, `${address}/token`)
  if (/^\/[\w-]+\/oauth2\/v2\.0\/token$/.test(url.pathname)) return issueEntraToken(new URLSearchParams(body))
  if (request.headers.authorization !== `Bearer ${TOKEN}`) return [401, {}]
  const google =
    /^\/v1\/projects\/p\/locations\/l\/keyRings\/r\/cryptoKeys\/([\w-]+)\/cryptoKeyVersions\/\d+(.*)$/.exec(
      decodeURIComponent(url.pathname),
    )
  if (google) return handleGoogle(google[1] ?? '', google[2] ?? '', body)
  const azure = /^\/keys\/([\w-]+)(?:\/v1)?(\/sign)?$/.exec(url.pathname)
  if (azure && url.searchParams.get('api-version'))
    return handleAzure(azure[1] ?? '', azure[2], body, address)
  return [404, {}]
}

function issueToken(form: URLSearchParams, account: KeyObject, audience: string): Reply {
  const [header = '', payload = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}') as Record<string, unknown>
  const isGenuine = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    account,
    Buffer.from(signature, 'base64url'),
  )
  return isGenuine && claims.aud === audience && claims.scope === 'https://www.googleapis.com/auth/cloudkms'
    ? [200, { access_token: TOKEN, expires_in: 3600, token_type: 'Bearer' }]
    : [400, { error: 'invalid_grant' }]
}

function issueEntraToken(form: URLSearchParams): Reply {
  const isKnown =
    form.get('client_id') === 'client' &&
    form.get('scope') === 'https://vault.azure.net/.default' &&
    (form.get('client_secret') === 'client-secret' || form.get('client_assertion') === 'federated')
  return isKnown ? [200, { access_token: TOKEN, expires_in: 3600 }] : [401, { error: 'invalid_client' }]
}

function handleGoogle(name: string, operation: string, body: string): Reply {
  const key = KEYS[name]
  if (!key) return name === 'forbidden' ? [403, {}] : [404, { error: { code: 404, status: 'NOT_FOUND' } }]
  if (key.isDisabled) {
    const message = `projects/p/… is not enabled, current state is: DISABLED.`
    return [400, { error: { code: 400, status: 'FAILED_PRECONDITION', message } }]
  }
  if (operation === '/publicKey') {
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' })
    return [200, { pem, algorithm: key.algorithm }]
  }
  const { digest } = JSON.parse(body) as { digest: Partial<Record<Hash, string>> }
  const [hash, value] = Object.entries(digest)[0] as [Hash, string]
  const bytes = Buffer.from(value, 'base64')
  const signature = key.algorithm.startsWith('EC')
    ? signEc(key.privateKey, bytes)
    : key.algorithm.includes('PSS')
      ? signPss(key.privateKey, hash, bytes)
      : signRsa(key.privateKey, hash, bytes)
  return [200, { signature: signature.toString('base64') }]
}

function handleAzure(name: string, operation: string | undefined, body: string, address: string): Reply {
  const key = KEYS[name]
  if (!key) return name === 'forbidden' ? [403, {}] : [404, { error: { code: 'KeyNotFound' } }]
  if (operation === undefined) {
    const jwk = key.publicKey.export({ format: 'jwk' })
    const kid = `${address}/keys/${name}/v1`
    return [
      200,
      { key: { ...jwk, kid, key_ops: ['sign', 'verify'] }, attributes: { enabled: key.isDisabled !== true } },
    ]
  }
  const { alg, value } = JSON.parse(body) as { alg: string; value: string }
  const bytes = Buffer.from(value, 'base64url')
  const hash = `sha${alg.slice(2)}` as Hash
  const signature = alg.startsWith('ES')
    ? toJose(signEc(key.privateKey, bytes), FIELD_SIZES[alg] as number)
    : alg.startsWith('PS')
      ? signPss(key.privateKey, hash, bytes)
      : signRsa(key.privateKey, hash, bytes)
  return [200, { kid: `${address}/keys/${name}/v1`, value: signature.toString('base64url') }]
}
