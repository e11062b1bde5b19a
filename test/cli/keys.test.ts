import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { apiKeys } from 'membrane-token/endpoint'
import { describe, expect, test } from 'vitest'
import { createSigner, createVerifier } from '../../src/index.ts'
import { RUNTIMES, useCommand } from './harness.ts'

const { directory, run, keep, write, expectWrongUsage } = useCommand()

const inDirectory = (name: string) => join(directory, name)

describe.each(RUNTIMES)('on $name', (runtime) => {
  test('keygen writes a private key with mode 0600, never over a file, and prints the public half', async () => {
    const name = `${runtime.name}.pem`
    const { status, stdout, stderr } = await run(['keygen', '--out', name, '--algorithm=ES384'], { runtime })
    expect(status).toBe(0)
    expect(statSync(inDirectory(name)).mode & 0o777).toBe(0o600)
    const privateKey = readFileSync(inDirectory(name), 'utf8')
    keep(privateKey.split('\n')[1]!)
    expect(stderr).toContain(`Wrote the private key of a new ES384 pair to ${name} (mode 0600)`)
    const [, publicKey, jwks] =
      /^(-----BEGIN PUBLIC KEY-----[\s\S]*-----END PUBLIC KEY-----)\n(\{[\s\S]*\})\n$/.exec(stdout)!

    const signer = await createSigner({ workspaceKey: 'w', privateKey, keyId: JSON.parse(jwks!).keys[0].kid })
    const { token } = await signer.signAdminToken()
    for (const key of [{ publicKey: publicKey! }, { jwks: JSON.parse(jwks!) }]) {
      expect(await (await createVerifier({ workspaceKey: 'w', ...key })).verify(token)).toMatchObject({
        kind: 'admin',
      })
    }

    const again = await run(['keygen', '--out', name], { runtime })
    expect(again).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('never overwritten'),
    })
    expect(readFileSync(inDirectory(name), 'utf8')).toBe(privateKey)
  })

  test('api-key prints a key and its entry for the service', async () => {
    const { status, stdout } = await run(['api-key', 'a "name"', '--scope=admin,customer'], { runtime })
    expect(status).toBe(0)
    const [, key, entry] = /^(mtk_[\w-]{43})\n(\{.*\})\n$/.exec(stdout)!
    const authenticate = apiKeys({ keys: [JSON.parse(entry!)] })
    const request = new Request('https://example.com', { headers: { Authorization: `Bearer ${key}` } })
    expect(await authenticate(request)).toMatchObject({
      kind: 'service',
      name: 'a "name"',
      scopes: ['admin', 'customer'],
    })
  })
})

describe('keygen', () => {
  test('prints JSON without the private key', async () => {
    const { stdout } = await run(['keygen', '--json', '--algorithm=PS256', '--bits=2048', '--out=rsa.pem'])
    keep(readFileSync(inDirectory('rsa.pem'), 'utf8').split('\n')[5]!)
    expect(JSON.parse(stdout)).toEqual({
      algorithm: 'PS256',
      keyId: expect.any(String),
      privateKeyFile: 'rsa.pem',
      publicKey: expect.stringContaining('BEGIN PUBLIC KEY'),
      jwks: { keys: [expect.objectContaining({ kty: 'RSA', alg: 'PS256', use: 'sig' })] },
    })
  })

  test('prints the private key with --out -, and the public half on standard error', async () => {
    const { status, stdout, stderr } = await run(['keygen', '--out', '-'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^-----BEGIN PRIVATE KEY-----\n[\s\S]*-----END PRIVATE KEY-----\n$/)
    expect(stderr).toContain('BEGIN PUBLIC KEY')
    expect(stderr).not.toContain('PRIVATE KEY---')
  })

  test.each([
    [['--algorithm=HS256'], 'ERR_OPTION_INVALID'],
    [['--algorithm=es256'], 'ERR_ALGORITHM_UNSUPPORTED'],
    [['--algorithm=RS256', '--bits=1024'], 'ERR_KEY_WEAK'],
    [['--algorithm=RS256', '--bits=long'], '--bits must be a number'],
    [['--out=none/key.pem'], 'ENOENT'],
    [['--out=-', '--json'], 'drop --json'],
  ])('%j is wrong usage', (args, reason) => expectWrongUsage(['keygen', ...args], reason))
})

describe('api-key', () => {
  test('prints JSON, with a new key each time', async () => {
    const outputs = await Promise.all([1, 2].map(() => run(['api-key', 'backend', '--json'])))
    const [first, second] = outputs.map(({ stdout }) => JSON.parse(stdout))
    expect(first.entry).toMatchObject({ name: 'backend', scopes: ['customer'] })
    expect(first.key).not.toBe(second.key)
  })

  test.each([
    [[], 'Pass the name'],
    [[' '], 'Pass the name'],
    [['backend', '--scope=owner'], '--scope must be'],
    [['backend', '--scope='], '--scope must be'],
    [['backend', 'customer'], 'Expected at most 1 argument'],
    [['--name=x'], 'Unknown option --name'],
    [['mtk_abc'], 'looks like a key'],
  ])('%j is wrong usage', (args, reason) => expectWrongUsage(['api-key', ...args], reason))
})

describe('key', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = keep(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  const scalar = keep(pair.privateKey.export({ format: 'jwk' }).d as string)
  const spki = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string

  test.each(RUNTIMES)('describes a private key without showing it, on $name', async (runtime) => {
    write('key.pem', pem)
    const { status, stdout, stderr } = await run(['key', 'key.pem', '--json'], { runtime })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const { d: _, ...publicJwk } = pair.privateKey.export({ format: 'jwk' })
    expect(JSON.parse(stdout)).toMatchObject({
      half: 'private',
      type: 'EC',
      curve: 'P-256',
      algorithms: ['ES256'],
      publicJwk,
      publicKey: spki,
      problems: [],
    })
  })

  test.each([
    ['DER', pair.privateKey.export({ type: 'pkcs8', format: 'der' })],
    ['SEC1', pair.privateKey.export({ type: 'sec1', format: 'pem' })],
    ['a JWK', JSON.stringify({ kty: 'EC', crv: 'P-256', ...pair.privateKey.export({ format: 'jwk' }) })],
    ['a public key', spki],
  ])('reads %s from standard input', async (_, input) => {
    const { status, stdout } = await run(['key', '-'], { input })
    expect(status).toBe(0)
    expect(stdout).toContain('EC P-256')
    expect(stdout).toContain(spki.trim())
    expect(stdout).not.toContain(scalar)
  })

  test('names the problems of a key, and exits with 1', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const input = weak.privateKey.export({ type: 'pkcs8', format: 'pem' })
    const { status, stdout } = await run(['key'], { input })
    expect(status).toBe(1)
    expect(stdout).toContain('RSA 1024 bits')
    expect(stdout).toContain('(ERR_KEY_WEAK)')
    expect(await run(['key', '-'], { input: 'nothing' })).toMatchObject({ status: 1 })
  })

  test.each([
    [['none.pem'], 'no such file'],
    [['a', 'b'], 'Expected at most 1 argument'],
    [['-----BEGIN PRIVATE KEY-----'], 'Secrets are not taken as arguments'],
  ])('%j is wrong usage', (args, reason) => expectWrongUsage(['key', '--', ...args], reason))
})
