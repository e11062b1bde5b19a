import { execSync } from 'node:child_process'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSigner, createVerifier, generateKeyPair, type MembraneTokenError } from '../../src/index.ts'
import { toPem } from '../conformance/encoding.ts'
import * as shapes from '../conformance/key-shapes.ts'
import { publicJwk } from '../conformance/keys.ts'
import { workspaceKey } from '../conformance/tokens.ts'
import { hasOpenssl, hasSshKeygen } from './openssl.ts'

type Half = 'private' | 'public'

async function useKey(half: Half, key: unknown): Promise<void> {
  if (half === 'private') await createSigner({ workspaceKey, privateKey: key as string })
  else await createVerifier({ workspaceKey, publicKey: key as string })
}

async function messageFor(half: Half, key: unknown): Promise<string> {
  const error = await useKey(half, key).then(
    () => undefined,
    (thrown: MembraneTokenError) => thrown,
  )
  expect(error?.code).toMatch(/^ERR_KEY_(FORMAT_UNSUPPORTED|WEAK)$/)
  return error!.message
}

const EC = 'openssl ecparam -name prime256v1 -genkey -noout'
const PASSWORD = '-passout pass:hunter2'

interface Case {
  title: string
  half: Half
  /** Commands that create the file. */
  create: string[]
  file: string
  /** The file that the suggested commands write. */
  result: string
  /** Appended to a suggested command in place of its prompt. */
  password?: string
}

const opensslCases: Case[] = [
  {
    title: 'encrypted PKCS#8',
    half: 'private',
    create: [`${EC} | openssl pkcs8 -topk8 ${PASSWORD} -out key.pem`],
    file: 'key.pem',
    result: 'decrypted.pem',
    password: '-passin pass:hunter2',
  },
  {
    title: 'encrypted PKCS#8 in DER',
    half: 'private',
    create: [`${EC} | openssl pkcs8 -topk8 -outform DER ${PASSWORD} -out key.der`],
    file: 'key.der',
    result: 'decrypted.pem',
    password: '-passin pass:hunter2',
  },
  {
    title: 'the encryption used before PKCS#8',
    half: 'private',
    create: [`${EC} | openssl ec -aes256 ${PASSWORD} -out key.pem`],
    file: 'key.pem',
    result: 'decrypted.pem',
    password: '-passin pass:hunter2',
  },
  {
    title: 'a private EC key with explicit parameters',
    half: 'private',
    create: [`${EC} -param_enc explicit -out key.pem`],
    file: 'key.pem',
    result: 'complete.pem',
  },
  {
    title: 'a public EC key with explicit parameters',
    half: 'public',
    create: [`${EC} -param_enc explicit | openssl ec -pubout -out key.pem`],
    file: 'key.pem',
    result: 'complete.pem',
  },
  {
    title: 'a compressed public point',
    half: 'public',
    create: [`${EC} | openssl ec -pubout -conv_form compressed -out key.pem`],
    file: 'key.pem',
    result: 'complete.pem',
  },
  {
    title: 'a private key for verifying',
    half: 'public',
    create: [`${EC} -out key.pem`],
    file: 'key.pem',
    result: 'public.pem',
  },
  {
    title: 'PKCS#12',
    half: 'private',
    create: [
      'openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=example',
      `openssl pkcs12 -export -in c.pem -inkey k.pem ${PASSWORD} -out key.p12`,
    ],
    file: 'key.p12',
    result: 'key.pem',
    password: '-passin pass:hunter2',
  },
  {
    title: 'Ed25519, by generating another key',
    half: 'private',
    create: ['openssl genpkey -algorithm ED25519 -out old.pem'],
    file: 'old.pem',
    result: 'key.pem',
  },
  {
    title: 'an RSA key that is too short, by generating another key',
    half: 'private',
    create: ['openssl genrsa -out old.pem 1024'],
    file: 'old.pem',
    result: 'key.pem',
  },
]

const sshCases: Case[] = [
  {
    title: 'an OpenSSH private key',
    half: 'private',
    create: ['ssh-keygen -q -t ecdsa -b 256 -N "" -f key'],
    file: 'key',
    result: 'key',
    password: '-N "" -P ""',
  },
  {
    title: 'an OpenSSH public key',
    half: 'public',
    create: ['ssh-keygen -q -t rsa -b 2048 -N "" -f key'],
    file: 'key.pub',
    result: 'public.pem',
  },
  {
    title: 'an SSH2 public key (RFC 4716)',
    half: 'public',
    create: [
      'ssh-keygen -q -t rsa -b 2048 -N "" -f key',
      'ssh-keygen -e -m RFC4716 -f key.pub > ssh2.pub',
      'mv ssh2.pub key.pub',
    ],
    file: 'key.pub',
    result: 'public.pem',
  },
]

describe.each([
  ['openssl', hasOpenssl, opensslCases],
  ['ssh-keygen', hasSshKeygen, sshCases],
] as const)('%s commands in messages work', (_, isInstalled, cases) => {
  test.skipIf(!isInstalled).each(cases)('$title', async ({ half, create, file, result, password = '' }) => {
    const cwd = mkdtempSync(join(tmpdir(), 'membrane-token-'))
    const run = (command: string) => execSync(command, { cwd, stdio: 'pipe', input: '' })
    try {
      for (const command of create) run(command)
      const content = readFileSync(join(cwd, file))
      const isBinary = /\.(der|p12)$/.test(file)
      const message = await messageFor(half, isBinary ? new Uint8Array(content) : content.toString())
      const commands = Array.from(message.matchAll(/`((?:openssl|ssh-keygen) [^`]+)`/g), ([, text]) => text)
      expect(commands, message).not.toEqual([])
      for (const command of commands) run(`${command} ${password}`)
      await useKey(half, readFileSync(join(cwd, result), 'utf8'))
    } finally {
      rmSync(cwd, { recursive: true })
    }
  })
})

describe('input that is not a key gets specific advice', () => {
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

  test('a symmetric JWK as secret', async () => {
    const secret = { kty: 'oct', k: 'x'.repeat(86) }
    for (const given of [secret, JSON.stringify(secret)]) {
      await expect(createSigner({ workspaceKey, secret: given as string })).rejects.toMatchObject({
        code: 'ERR_KEY_FORMAT_UNSUPPORTED',
        message: expect.stringContaining('pass the bytes as secret'),
        option: 'secret',
      })
    }
  })

  test('a KeyObject and an X509Certificate of Node', async () => {
    const pem = toPem('CERTIFICATE', shapes.certificate(await publicJwk('P-256')))
    const [keyObject, certificate] = [createPublicKey(pem), new X509Certificate(pem)]
    expect(await messageFor('public', keyObject)).toContain("key.export({ format: 'jwk' })")
    expect(await messageFor('public', certificate)).toContain('certificate.toString()')
    await useKey('public', keyObject.export({ format: 'jwk' }))
    await useKey('public', certificate.toString())
  })
})

test('PEM in UTF-16, as PowerShell writes it, is accepted', async () => {
  const { privateKey } = await generateKeyPair()
  const littleEndian = Buffer.from(`\uFEFF${privateKey}`, 'utf16le')
  const bigEndian = Buffer.from(littleEndian).swap16()
  for (const key of [new Uint8Array(littleEndian), new Uint8Array(bigEndian), littleEndian.toString()])
    await useKey('private', key)
})
