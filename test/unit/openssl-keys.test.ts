import { createPublicKey } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import { type Algorithm, createSigner } from '../../src/index.ts'
import { workspaceKey } from '../conformance/tokens.ts'
import { hasOpenssl, hasSshKeygen, openssl, opensslBytes, sshKey } from './openssl.ts'

type Row = [algorithm: Algorithm, ...commands: string[]]

const curves = [
  ['ES256', 'prime256v1'],
  ['ES384', 'secp384r1'],
  ['ES512', 'secp521r1'],
] as const

/** A command that generates a key, and the commands that convert it. */
const accepted: Row[] = [
  ['RS256', 'genrsa 2048'],
  ['RS256', 'genrsa -traditional 2048'],
  ['RS256', 'genrsa 3072'],
  ['RS256', 'genrsa -3 2048'],
  ['RS256', 'genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048'],
  ['RS256', 'genrsa 2048', 'pkcs8 -topk8 -nocrypt'],
  ['RS256', 'genrsa -traditional 2048', 'pkey'],
  ['RS256', 'genrsa 2048', 'rsa -traditional'],
  ...curves.flatMap(([algorithm, curve]): Row[] => [
    [algorithm, `ecparam -name ${curve} -genkey`],
    [algorithm, `ecparam -name ${curve} -genkey -noout`],
    [algorithm, `genpkey -algorithm EC -pkeyopt ec_paramgen_curve:${curve}`],
    [algorithm, `ecparam -name ${curve} -genkey`, 'pkcs8 -topk8 -nocrypt'],
    [algorithm, `ecparam -name ${curve} -genkey -noout`, 'ec -conv_form compressed'],
    [algorithm, `ecparam -name ${curve} -genkey -noout`, 'ec -no_public'],
    [algorithm, `ecparam -name ${curve} -genkey -noout`, 'ec -conv_form compressed', 'pkcs8 -topk8 -nocrypt'],
    [algorithm, `ecparam -name ${curve} -genkey -noout`, 'ec -text'],
  ]),
]

const unsupported: string[][] = [
  ['ecparam -name prime256v1 -genkey -noout -param_enc explicit'],
  ['ecparam -name prime256v1 -genkey -param_enc explicit'],
  ['genrsa 2048', 'pkcs8 -topk8 -passout pass:hunter2'],
  ['genrsa -traditional -aes256 -passout pass:hunter2 2048'],
  ['ecparam -name prime256v1 -genkey', 'ec -aes256 -passout pass:hunter2'],
  ['genpkey -algorithm ED25519'],
  ['genpkey -algorithm ED448'],
  ['genpkey -algorithm X25519'],
  ['genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048'],
  ['ecparam -name secp256k1 -genkey'],
  ['ecparam -name secp256k1 -genkey -noout', 'pkcs8 -topk8 -nocrypt'],
  ['ecparam -name brainpoolP256r1 -genkey -noout'],
  ['dsaparam -genkey -noout 1024'],
  ['dsaparam -genkey -noout 1024', 'pkcs8 -topk8 -nocrypt'],
  ['genrsa 2048', 'rsa -pubout'],
  ['genrsa 2048', 'rsa -RSAPublicKey_out'],
  ['req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=example'],
  ['req -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=example'],
  ['ecparam -name prime256v1'],
  ['genrsa -primes 3 2048'],
]

const weak: string[][] = [['genrsa 1024'], ['genrsa -traditional 1536'], ['genrsa 2047']]

function generate([first = '', ...rest]: readonly string[]): string {
  return rest.reduce((key, command) => openssl(command, key), openssl(first))
}

async function expectSigns(algorithm: Algorithm, privateKey: string | Uint8Array, pem: string) {
  const signer = await createSigner({ workspaceKey, privateKey })
  expect(signer.algorithm).toBe(algorithm)
  const { token } = await signer.signCustomerToken({ id: 'customer-42' })
  jwt.verify(token, createPublicKey(pem), { algorithms: [algorithm], issuer: workspaceKey })
}

describe.skipIf(!hasOpenssl)('keys from openssl', () => {
  test.each(accepted.map(([algorithm, ...commands]) => [commands.join(' | '), algorithm, commands] as const))(
    'accepted: %s',
    async (_, algorithm, commands) => {
      const pem = generate(commands)
      for (const key of [pem, pem.replaceAll('\n', '\\n'), Buffer.from(pem)]) {
        await expectSigns(algorithm, key, pem)
      }
    },
  )

  test.each([
    ['RS256', 'genrsa 2048', 'rsa -outform DER'],
    ['RS256', 'genrsa 2048', 'rsa -traditional -outform DER'],
    ['ES256', 'ecparam -name prime256v1 -genkey', 'ec -outform DER'],
    ['ES384', 'ecparam -name secp384r1 -genkey', 'pkcs8 -topk8 -nocrypt -outform DER'],
  ] as const)('accepted: %s: %s | %s', async (algorithm, command, conversion) => {
    const pem = openssl(command)
    await expectSigns(algorithm, opensslBytes(conversion, pem), pem)
  })

  test.each([
    ...unsupported.map((commands) => ['ERR_KEY_FORMAT_UNSUPPORTED', commands.join(' | '), commands] as const),
    ...weak.map((commands) => ['ERR_KEY_WEAK', commands.join(' | '), commands] as const),
  ])('%s: %s', async (code, _, commands) => {
    const privateKey = generate(commands)
    await expect(createSigner({ workspaceKey, privateKey })).rejects.toMatchObject({
      name: 'MembraneTokenError',
      code,
    })
  })
})

describe.skipIf(!hasSshKeygen)('keys from ssh-keygen', () => {
  test.each(['-t ed25519', '-t rsa -b 2048', '-t ecdsa -b 256'])(
    'rejected as OpenSSH: %s',
    async (options) => {
      const creating = createSigner({ workspaceKey, privateKey: sshKey(options) })
      await expect(creating).rejects.toMatchObject({
        code: 'ERR_KEY_FORMAT_UNSUPPORTED',
        message: expect.stringContaining('OpenSSH'),
      })
    },
  )

  test.each([
    ['RS256', '-t rsa -b 2048 -m PEM'],
    ['RS256', '-t rsa -b 2048 -m PKCS8'],
    ['ES256', '-t ecdsa -b 256 -m PEM'],
    ['ES512', '-t ecdsa -b 521 -m PKCS8'],
  ] as const)('accepted: %s: %s', async (algorithm, options) => {
    const privateKey = sshKey(options)
    await expectSigns(algorithm, privateKey, privateKey)
  })
})
