import { createPublicKey } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import { type Algorithm, createSigner } from '../../src/index.ts'
import { hasOpenssl, hasSshKeygen, openssl, opensslBytes, sshKey } from './openssl.ts'

const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'

/** A command that makes a key, and commands through which it then goes. */
const usable: [Algorithm, ...string[]][] = [
  ['RS256', 'genrsa 2048'],
  ['RS256', 'genrsa -traditional 2048'],
  ['RS256', 'genrsa 3072'],
  ['RS256', 'genrsa -3 2048'],
  ['RS256', 'genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048'],
  ['RS256', 'genrsa 2048', 'pkcs8 -topk8 -nocrypt'],
  ['RS256', 'genrsa -traditional 2048', 'pkey'],
  ['RS256', 'genrsa 2048', 'rsa -traditional'],
  ...(
    [
      ['ES256', 'prime256v1'],
      ['ES384', 'secp384r1'],
      ['ES512', 'secp521r1'],
    ] as const
  ).flatMap(([algorithm, curve]): [Algorithm, ...string[]][] => [
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

function make([first = '', ...rest]: string[]): string {
  return rest.reduce((key, command) => openssl(command, key), openssl(first))
}

describe.skipIf(!hasOpenssl)('keys of openssl', () => {
  test.each(usable.map(([algorithm, ...commands]) => [commands.join(' | '), algorithm, commands] as const))(
    '%s',
    async (_, algorithm, commands) => {
      const privateKey = make([...commands])
      for (const key of [privateKey, privateKey.replaceAll('\n', '\\n'), Buffer.from(privateKey)]) {
        const signer = await createSigner({ workspaceKey, privateKey: key })
        expect(signer.algorithm).toBe(algorithm)
        const { token } = await signer.signCustomerToken({ id: 'customer-42' })
        jwt.verify(token, createPublicKey(privateKey), { algorithms: [algorithm], issuer: workspaceKey })
      }
    },
  )

  test.each([
    ['RS256', 'genrsa 2048', 'rsa -outform DER'],
    ['RS256', 'genrsa 2048', 'rsa -traditional -outform DER'],
    ['ES256', 'ecparam -name prime256v1 -genkey', 'ec -outform DER'],
    ['ES384', 'ecparam -name secp384r1 -genkey', 'pkcs8 -topk8 -nocrypt -outform DER'],
  ] as const)('%s: %s | %s', async (algorithm, command, conversion) => {
    const pem = openssl(command)
    const signer = await createSigner({ workspaceKey, privateKey: opensslBytes(conversion, pem) })
    const { token } = await signer.signAdminToken()
    jwt.verify(token, createPublicKey(pem), { algorithms: [algorithm], issuer: workspaceKey })
  })

  test.each([
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'ecparam -name prime256v1 -genkey -noout -param_enc explicit'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'ecparam -name prime256v1 -genkey -param_enc explicit'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genrsa 2048', 'pkcs8 -topk8 -passout pass:hunter2'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genrsa -traditional -aes256 -passout pass:hunter2 2048'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'ecparam -name prime256v1 -genkey', 'ec -aes256 -passout pass:hunter2'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genpkey -algorithm ED25519'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genpkey -algorithm ED448'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genpkey -algorithm X25519'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'ecparam -name secp256k1 -genkey'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'ecparam -name secp256k1 -genkey -noout', 'pkcs8 -topk8 -nocrypt'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'ecparam -name brainpoolP256r1 -genkey -noout'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'dsaparam -genkey -noout 1024'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'dsaparam -genkey -noout 1024', 'pkcs8 -topk8 -nocrypt'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genrsa 2048', 'rsa -pubout'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genrsa 2048', 'rsa -RSAPublicKey_out'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=example'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'req -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=example'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'ecparam -name prime256v1'],
    ['ERR_KEY_FORMAT_UNSUPPORTED', 'genrsa -primes 3 2048'],
    ['ERR_KEY_WEAK', 'genrsa 1024'],
    ['ERR_KEY_WEAK', 'genrsa -traditional 1536'],
    ['ERR_KEY_WEAK', 'genrsa 2047'],
  ])('%s: %s %s', async (code, ...commands) => {
    const privateKey = make(commands.filter(Boolean))
    await expect(createSigner({ workspaceKey, privateKey })).rejects.toMatchObject({
      name: 'MembraneTokenError',
      code,
    })
  })
})

describe.skipIf(!hasSshKeygen)('keys of ssh-keygen', () => {
  test.each(['-t ed25519', '-t rsa -b 2048', '-t ecdsa -b 256'])(
    '%s is rejected by name',
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
  ] as const)('%s: %s', async (algorithm, options) => {
    const privateKey = sshKey(options)
    const { token } = await (await createSigner({ workspaceKey, privateKey })).signAdminToken()
    jwt.verify(token, createPublicKey(privateKey), { algorithms: [algorithm] })
  })
})
