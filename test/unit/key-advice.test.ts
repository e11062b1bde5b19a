import { execSync } from 'node:child_process'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createSigner, createVerifier } from '../../src/index.ts'
import { hasOpenssl, hasSshKeygen } from './openssl.ts'

/** Every command that a message suggests is run on the file that the message is about, and its result is used. */

const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'membrane-token-'))
  folders.push(folder)
  return folder
}

function run(command: string, cwd: string): void {
  execSync(command, { cwd, stdio: 'pipe', input: '' })
}

async function messageFor(half: 'private' | 'public', key: unknown): Promise<string> {
  const creating =
    half === 'private'
      ? createSigner({ workspaceKey, privateKey: key as string })
      : createVerifier({ workspaceKey, publicKey: key as string })
  const error = await creating.then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  expect(error).toMatchObject({ code: 'ERR_KEY_FORMAT_UNSUPPORTED' })
  return error?.message ?? ''
}

function commandsOf(message: string): string[] {
  return [...message.matchAll(/`((?:openssl|ssh-keygen|keytool) [^`]+)`/g)].map(
    ([, command]) => command as string,
  )
}

const EC = 'openssl ecparam -name prime256v1 -genkey -noout'
const PASSWORD = '-passout pass:hunter2'

interface Case {
  title: string
  half: 'private' | 'public'
  /** Commands that make the file. */
  make: string[]
  /** The file that is passed, as text or as bytes. */
  file: string
  bytes?: true
  /** The file that the suggested commands leave. */
  result: string
  /** Added to a suggested command, because the test cannot type a password. */
  password?: string
}

const cases: Case[] = [
  {
    title: 'encrypted PKCS#8',
    half: 'private',
    make: [`${EC} | openssl pkcs8 -topk8 ${PASSWORD} -out key.pem`],
    file: 'key.pem',
    result: 'decrypted.pem',
    password: '-passin pass:hunter2',
  },
  {
    title: 'encrypted PKCS#8 in DER',
    half: 'private',
    make: [`${EC} | openssl pkcs8 -topk8 -outform DER ${PASSWORD} -out key.der`],
    file: 'key.der',
    bytes: true,
    result: 'decrypted.pem',
    password: '-passin pass:hunter2',
  },
  {
    title: 'encrypted as before PKCS#8',
    half: 'private',
    make: [`${EC} | openssl ec -aes256 ${PASSWORD} -out key.pem`],
    file: 'key.pem',
    result: 'decrypted.pem',
    password: '-passin pass:hunter2',
  },
  {
    title: 'a private EC key with explicit parameters',
    half: 'private',
    make: [`${EC} -param_enc explicit -out key.pem`],
    file: 'key.pem',
    result: 'complete.pem',
  },
  {
    title: 'a public EC key with explicit parameters',
    half: 'public',
    make: [`${EC} -param_enc explicit -out private.pem`, 'openssl ec -in private.pem -pubout -out key.pem'],
    file: 'key.pem',
    result: 'complete.pem',
  },
  {
    title: 'a compressed public point',
    half: 'public',
    make: [`${EC} | openssl ec -pubout -conv_form compressed -out key.pem`],
    file: 'key.pem',
    result: 'complete.pem',
  },
  {
    title: 'a private key to verify with',
    half: 'public',
    make: [`${EC} -out key.pem`],
    file: 'key.pem',
    result: 'public.pem',
  },
  {
    title: 'PKCS#12',
    half: 'private',
    make: [
      `openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=example`,
      `openssl pkcs12 -export -in c.pem -inkey k.pem ${PASSWORD} -out key.p12`,
    ],
    file: 'key.p12',
    bytes: true,
    result: 'key.pem',
    password: '-passin pass:hunter2',
  },
  {
    title: 'Ed25519, with the command that creates another key',
    half: 'private',
    make: ['openssl genpkey -algorithm ED25519 -out old.pem'],
    file: 'old.pem',
    result: 'key.pem',
  },
]

const sshCases: Case[] = [
  {
    title: 'an OpenSSH private key',
    half: 'private',
    make: ['ssh-keygen -q -t ecdsa -b 256 -N "" -f key'],
    file: 'key',
    result: 'key',
    password: '-N "" -P ""',
  },
  {
    title: 'an OpenSSH public key',
    half: 'public',
    make: ['ssh-keygen -q -t rsa -b 2048 -N "" -f key'],
    file: 'key.pub',
    result: 'public.pem',
  },
  {
    title: 'an SSH2 public key (RFC 4716)',
    half: 'public',
    make: [
      'ssh-keygen -q -t rsa -b 2048 -N "" -f key',
      'ssh-keygen -e -m RFC4716 -f key.pub > ssh2.pub',
      'mv ssh2.pub key.pub',
    ],
    file: 'key.pub',
    result: 'public.pem',
  },
]

async function tryAdvice({ half, make, file, bytes, result, password = '' }: Case): Promise<void> {
  const folder = newFolder()
  for (const command of make) run(command, folder)
  const content = readFileSync(join(folder, file))
  const message = await messageFor(half, bytes ? new Uint8Array(content) : content.toString('utf8'))
  const commands = commandsOf(message)
  expect(commands, message).not.toEqual([])
  for (const command of commands) run(`${command} ${password}`, folder)
  const key = readFileSync(join(folder, result), 'utf8')
  if (half === 'private') await createSigner({ workspaceKey, privateKey: key })
  else await createVerifier({ workspaceKey, publicKey: key })
}

describe.skipIf(!hasOpenssl)('commands of openssl in messages work', () => {
  test.each(cases.map((found) => [found.title, found] as const))('%s', (_, found) => tryAdvice(found))

  test('an RSA key that is too short', async () => {
    const folder = newFolder()
    run('openssl genrsa -out old.pem 1024', folder)
    const privateKey = readFileSync(join(folder, 'old.pem'), 'utf8')
    const error = await createSigner({ workspaceKey, privateKey }).catch((thrown: Error) => thrown)
    for (const command of commandsOf((error as Error).message)) run(command, folder)
    await createSigner({ workspaceKey, privateKey: readFileSync(join(folder, 'key.pem'), 'utf8') })
  })
})

describe.skipIf(!hasSshKeygen)('commands of ssh-keygen in messages work', () => {
  test.each(sshCases.map((found) => [found.title, found] as const))('%s', (_, found) => tryAdvice(found))
})

describe('things that are not key material get specific advice', () => {
  const jwk = { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }

  test.each<[title: string, key: unknown, advice: string]>([
    ["a Google service account's file", { type: 'service_account', private_key: 'x' }, 'private_key'],
    ['the same as text', JSON.stringify({ type: 'service_account', private_key: 'x' }), 'private_key'],
    ['a JWK set', { keys: [jwk] }, 'jwks'],
    ['a JWK set as text', JSON.stringify({ keys: [jwk] }), 'jwks'],
    ['AWS KMS', { KeyId: 'arn:aws:kms:…', PublicKey: 'MFkw', KeySpec: 'ECC_NIST_P256' }, 'PublicKey'],
    ['Google Cloud KMS', { pem: '-----BEGIN PUBLIC KEY-----', algorithm: 'EC_SIGN_P256_SHA256' }, 'pem'],
    ['Azure Key Vault', { key: jwk, attributes: { enabled: true } }, 'pass its key'],
    ['a symmetric JWK', { kty: 'oct', k: 'AAAA' }, 'bytes as secret'],
    ['a Java key store', Uint8Array.of(0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2), 'keytool'],
  ])('%s', async (_, key, advice) => {
    for (const half of ['private', 'public'] as const) expect(await messageFor(half, key)).toContain(advice)
  })

  test('a symmetric JWK as secret says the same', async () => {
    const secret = { kty: 'oct', k: 'x'.repeat(86) }
    for (const given of [secret, JSON.stringify(secret)]) {
      await expect(createSigner({ workspaceKey, secret: given as string })).rejects.toMatchObject({
        code: 'ERR_KEY_FORMAT_UNSUPPORTED',
        message: expect.stringContaining('pass the bytes as secret'),
        option: 'secret',
      })
    }
  })

  test.skipIf(!hasOpenssl)('a KeyObject and an X509Certificate of Node', async () => {
    const folder = newFolder()
    run('openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=example', folder)
    const pem = readFileSync(join(folder, 'c.pem'), 'utf8')
    const [keyObject, certificate] = [createPublicKey(pem), new X509Certificate(pem)]
    expect(await messageFor('public', keyObject)).toContain("key.export({ format: 'jwk' })")
    expect(await messageFor('public', certificate)).toContain('certificate.toString()')
    const exported = keyObject.export({ format: 'jwk' }) as { kty: string }
    for (const publicKey of [exported, certificate.toString()])
      await createVerifier({ workspaceKey, publicKey })
  })

  test.skipIf(!hasOpenssl)('PEM in UTF-16, as PowerShell writes it, is read', async () => {
    const folder = newFolder()
    run(`${EC} -out key.pem`, folder)
    const pem = readFileSync(join(folder, 'key.pem'), 'utf8')
    const littleEndian = Buffer.from(`\uFEFF${pem}`, 'utf16le')
    const bigEndian = Buffer.from(littleEndian).swap16()
    writeFileSync(join(folder, 'utf16.pem'), littleEndian)
    for (const privateKey of [
      new Uint8Array(littleEndian),
      new Uint8Array(bigEndian),
      readFileSync(join(folder, 'utf16.pem'), 'utf8'),
    ])
      await createSigner({ workspaceKey, privateKey })
  })
})
