import { randomBytes } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import jwt from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import { generateKeyPair } from '../../src/index.ts'
import { NODE, RUNTIMES, useCommand } from './harness.ts'

const { run, write, keep, expectWrongUsage } = useCommand()

const secret = keep(randomBytes(32).toString('base64url'))
const env = { MEMBRANE_WORKSPACE_KEY: 'workspace-1', MEMBRANE_WORKSPACE_SECRET: secret }
const pair = await generateKeyPair('ES256')
keep(pair.privateKey.split('\n')[1]!)

const sign = async (...args: string[]) => (await run(['sign', ...args], { env })).stdout.trim()
const signWithJwt = (claims: object) => jwt.sign(claims, secret, { algorithm: 'HS512' })

describe.each(RUNTIMES)('on $name', (runtime) => {
  test('a token is signed, inspected and verified through pipes', async () => {
    const args = [
      'sign',
      '--customer',
      'c-1',
      '--name',
      'Acme Inc.',
      '--field',
      'plan=trial',
      '--expires-in=10m',
    ]
    const signed = await run(args, { env, runtime })
    expect(signed).toMatchObject({ status: 0, stderr: '' })
    expect(signed.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    const claims = jwt.verify(signed.stdout.trim(), secret, { algorithms: ['HS512'] }) as jwt.JwtPayload
    expect(claims).toMatchObject({
      iss: 'workspace-1',
      id: 'c-1',
      name: 'Acme Inc.',
      fields: { plan: 'trial' },
    })
    expect(claims.exp! - claims.iat!).toBe(600)

    const inspected = await run(['inspect'], { env, runtime, input: signed.stdout })
    expect(inspected).toMatchObject({ status: 0, stderr: '' })
    expect(inspected.stdout).toMatch(/^Customer token/)
    expect(inspected.stdout).toMatch(/exp {5}\d+ {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, in \d+ minutes/)
    expect(inspected.stdout).toContain('Verification\n  valid\n')
    expect(inspected.stdout).not.toContain('\u001b')

    const verified = await run(['verify', '-', '--json'], { env, runtime, input: signed.stdout })
    expect(verified.status).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject({ valid: true, kind: 'customer', id: 'c-1' })
    const otherEnv = { ...env, MEMBRANE_WORKSPACE_SECRET: 'x'.repeat(32) }
    expect(await run(['verify'], { env: otherEnv, runtime, input: signed.stdout })).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('(ERR_TOKEN_SIGNATURE_INVALID)'),
    })
  })

  test('--version and --help print to standard output', async () => {
    expect(await run(['--version'], { runtime })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
    expect(await run(['--help'], { runtime })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Commands:\n  inspect'),
    })
  })
})

describe('sign', () => {
  test('signs with a private key from a file, with a key id', async () => {
    write('key.pem', pair.privateKey)
    const { stdout } = await run([
      'sign',
      '--customer=c-1',
      '--private-key-file=key.pem',
      '--workspace-key=w',
      `--key-id=${pair.keyId}`,
      '--json',
    ])
    const { token, expiresIn } = JSON.parse(stdout)
    expect(expiresIn).toBe(7200)
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'JWT', kid: pair.keyId })
    expect(jwt.verify(token, pair.publicKey, { algorithms: ['ES256'] })).toMatchObject({
      iss: 'w',
      id: 'c-1',
    })
  })

  test('reads a secret from standard input, without its last line break', async () => {
    const { stdout } = await run(['sign', '--admin', '--secret-file', '-', '--workspace-key', 'w'], {
      input: `${secret}\n`,
    })
    expect(jwt.verify(stdout.trim(), secret, { algorithms: ['HS512'] })).toMatchObject({ isAdmin: true })
  })

  test('reads settings from a file, which the environment overrides', async () => {
    write(
      '.env',
      `MEMBRANE_WORKSPACE_KEY="from-file"\nMEMBRANE_WORKSPACE_SECRET='${secret}'\nTOKEN_EXPIRES_IN=5m\n`,
    )
    const fromFile = await run(['sign', '--customer=c', '--env-file=.env'])
    const { iss, iat, exp } = decodeJwt(fromFile.stdout)
    expect([iss, exp! - iat!]).toEqual(['from-file', 300])
    const overridden = await run(['sign', '--customer=c', '--env-file=.env'], {
      env: { MEMBRANE_WORKSPACE_KEY: 'set' },
    })
    expect(decodeJwt(overridden.stdout).iss).toBe('set')
  })

  test('names a missing --env-file', async () => {
    // Node reads this option too, and may be the one to report it.
    const { status, stderr } = await run(['sign', '--customer=c', '--env-file=none'], { env })
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/none: (no such file|not found)/)
  })

  test('takes fields as JSON and as pairs, with any names', async () => {
    const token = await sign(
      '--customer=c',
      '--fields={"seats":5}',
      '--field=__proto__=x',
      '--field',
      'a=b=c',
    )
    const { fields } = decodeJwt(token) as { fields: object }
    expect(JSON.stringify(fields)).toBe('{"seats":5,"__proto__":"x","a":"b=c"}')
  })

  test.each([
    [['--customer=c', '--admin'], 'either --customer ID or --admin'],
    [[], 'either --customer ID or --admin'],
    [['--admin', '--name=n'], 'takes no --name'],
    [['--customer=c', '--field=plan'], 'KEY=VALUE'],
    [['--customer=c', '--fields=[]'], 'JSON object'],
    [['--customer=c', '--fields={"a":1}', '--field=a=2'], 'twice'],
    [['--customer=c', '--customer=d'], '--customer is given twice'],
    [['--custmer', 'c'], 'did you mean --customer?'],
    [['--customer', '--json'], '--customer needs a value'],
    [['--admin=yes'], '--admin takes no value'],
    [['c-1'], 'takes no arguments'],
    [['--customer='], 'ERR_CLAIM_INVALID'],
    [['--customer=c', '--expires-in=5x'], 'ERR_LIFETIME_INVALID'],
    [['--customer=c', '--algorithm=EdDSA'], 'ERR_ALGORITHM_UNSUPPORTED'],
    [['--customer=c', '--claim-style=foo'], 'ERR_OPTION_INVALID'],
    [['--customer=c', '--secret-file=.'], 'it is a directory'],
    [
      ['--customer=c', '--secret-file=a', '--private-key-file=b'],
      'either --secret-file or --private-key-file',
    ],
    [['--customer=c', '--secret-file=-', '--private-key-file=-'], 'standard input'],
  ])('%j is wrong usage', (args, reason) => expectWrongUsage(['sign', ...args], reason, { env }))

  test.each([
    ['--secret', secret],
    ['--private-key', pair.privateKey],
    ['--api-key', secret],
    ['--customer', pair.privateKey],
    ['--fields', JSON.stringify({ kty: 'EC', d: secret })],
  ])('%s with a secret is rejected with the reason', (option, value) =>
    expectWrongUsage(
      ['sign', option, value],
      'Secrets are not taken as arguments: other users see them in the process list',
      { env },
    ),
  )

  test('two keys in the environment are rejected', () =>
    expectWrongUsage(['sign', '--admin'], 'MEMBRANE_WORKSPACE_SECRET and MEMBRANE_PRIVATE_KEY are both set', {
      env: { ...env, MEMBRANE_PRIVATE_KEY: pair.privateKey },
    }))
})

describe('inspect', () => {
  test('names each problem with its fix, and exits with 1', async () => {
    const token = signWithJwt({ iss: 'workspace-1', sub: 'user-1', exp: 1_700_000_000 })
    const { status, stdout } = await run(['inspect', token])
    expect(status).toBe(1)
    expect(stdout).toMatch(/error {2}.*\(EXPIRED\)\n {4}Fix: /)
    expect(stdout).toContain('(CUSTOMER_MISNAMED)')
    expect(stdout).toContain('none: pass --workspace-key')
  })

  test('prints JSON', async () => {
    const { status, stdout } = await run(['inspect', '--json', await sign('--admin')], { env })
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'admin',
      claimStyle: 'issuer',
      header: { alg: 'HS512' },
      claims: { isAdmin: true },
      expiresAt: expect.stringMatching(/^\d{4}-/),
      verification: { valid: true },
      problems: [],
    })
  })

  test('says that the signature is not valid', async () => {
    const token = await sign('--customer=c')
    const { status, stdout } = await run(
      ['inspect', token, '--workspace-key=workspace-1', '--secret-file=other'],
      {
        env: { other: write('other', 'y'.repeat(40)) },
      },
    )
    expect(status).toBe(1)
    expect(stdout).toContain('ERR_TOKEN_SIGNATURE_INVALID')
  })

  test('inspects even if the key cannot be used, and says why', async () => {
    const short = { ...env, MEMBRANE_WORKSPACE_SECRET: 'short' }
    const { status, stdout } = await run(['inspect', await sign('--customer=c'), '--json'], { env: short })
    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      claims: { id: 'c' },
      verification: { valid: null, code: 'ERR_KEY_WEAK' },
    })
  })

  test('escapes control characters', async () => {
    const token = signWithJwt({ iss: 'workspace-1', id: '\u001b[2Jc\u009b1m\u202e', '\u0007n': 1 })
    const { stdout } = await run(['inspect', token])
    expect(stdout).toContain('\\u001b[2Jc\\u009b1m\\u202e')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the output must not contain them
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })

  test('a closed pipe is not an error', async () => {
    const { status, stderr } = await run(['inspect', await sign('--admin'), '--json'], {
      env,
      runtime: headOf(NODE),
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test.each([
    [[], 'Standard input is empty'],
    [['a', 'b'], 'Expected at most 1 argument, got 2'],
    [['--jsn'], 'did you mean --json?'],
    [['-', '--secret-file=-'], 'Only one thing can be read from standard input'],
    [
      ['a', '--jwks=a', '--secret-file=b', '--workspace-key=w'],
      'Pass one of --secret-file, --public-key-file and --jwks',
    ],
  ])('%j is wrong usage', (args, reason) => expectWrongUsage(['inspect', ...args], reason))

  test('a token instead of a command is not repeated', async () => {
    const token = await sign('--admin')
    const { status, stderr } = await run([token])
    expect(status).toBe(2)
    expect(stderr).toContain('membrane-token inspect TOKEN')
    expect(stderr).not.toContain(token)
  })
})

/** Pipes the output of the command into `head`, which closes the pipe. */
function headOf(runtime: typeof NODE): typeof NODE {
  return {
    name: runtime.name,
    start: async () => [
      'sh',
      '-c',
      'set -o 2>/dev/null; "$@" | head -c 1 >/dev/null',
      'sh',
      ...(await runtime.start()),
    ],
  }
}

describe('verify', () => {
  test.each([
    ['--public-key-file', pair.publicKey],
    ['--public-key-file', JSON.stringify(pair.publicJwk)],
    ['--jwks', JSON.stringify({ keys: [pair.publicJwk] })],
  ])('verifies with %s', async (option, content) => {
    const input = (
      await run(['sign', '--customer=c', '--workspace-key=w', `--key-id=${pair.keyId}`], {
        env: { MEMBRANE_PRIVATE_KEY: pair.privateKey },
      })
    ).stdout
    const args = ['verify', '--workspace-key=w', option, write('public', content)]
    expect(await run(args, { input })).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Valid token of customer c of workspace w, expires .* in 2 hours\n$/),
    })
    expect(
      await run(['verify', '--workspace-key=w'], { input, env: { MEMBRANE_PRIVATE_KEY: pair.privateKey } }),
    ).toMatchObject({ status: 0 })
    const other = await run(['verify', '--workspace-key=other', option, 'public', '--json'], { input })
    expect(other.status).toBe(1)
    expect(JSON.parse(other.stdout)).toEqual({
      valid: false,
      code: 'ERR_TOKEN_WORKSPACE_MISMATCH',
      message: expect.any(String),
    })
  })

  test('accepts the given difference between clocks', async () => {
    const input = signWithJwt({ iss: 'workspace-1', id: 'c', exp: Math.floor(Date.now() / 1000) - 30 })
    expect(await run(['verify'], { env, input })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('ERR_TOKEN_EXPIRED'),
    })
    expect(await run(['verify', '--clock-tolerance=3600'], { env, input })).toMatchObject({ status: 0 })
    expect(await run(['verify', '--clock-tolerance=-1'], { env, input })).toMatchObject({ status: 2 })
  })

  test.each([
    [{}, 'The workspace key is missing'],
    [{ MEMBRANE_WORKSPACE_KEY: 'w' }, 'The key is missing'],
    [{ MEMBRANE_WORKSPACE_KEY: 'w', MEMBRANE_WORKSPACE_SECRET: 'short' }, 'ERR_KEY_WEAK'],
  ])('%j is wrong usage', (env, reason) => expectWrongUsage(['verify', 'a.b.c'], reason, { env }))
})
