import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import jwt from 'jsonwebtoken'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const PARTS = ['package.json', 'tsconfig.json', 'wrangler.toml', 'cli', 'console', 'scripts', 'src', 'worker']

let checkout: string

// A copy, because npm start writes into its checkout, and this one may have settings.
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'membrane-token-start-'))
  await Promise.all(PARTS.map((part) => cp(join(root, part), join(checkout, part), { recursive: true })))
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'))
})
afterAll(() => rm(checkout, { recursive: true, force: true }))

const running = new Set<ChildProcess>()

// Stops the processes that a failed test has left.
afterEach(() => {
  for (const { pid } of running) {
    try {
      process.kill(-pid!, 'SIGKILL')
    } catch {
      // It has already stopped.
    }
  }
  running.clear()
})

interface Run {
  child: ChildProcess
  output: () => string
  /** Resolves when the output matches, rejects if the process ends first. */
  prints: (pattern: RegExp) => Promise<void>
  ended: Promise<number | null>
}

/** Runs `npm start` in a new process group, as a shell does. */
function npmStart(port: number): Run {
  const child = spawn('npm', ['start'], {
    cwd: checkout,
    env: { ...process.env, PORT: String(port), FORCE_COLOR: '0' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  let look = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data
      look()
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const prints = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      look = () => pattern.test(output) && resolve()
      look()
      ended.then((code) => reject(new Error(`npm start ended with ${code}:\n${output}`)))
    })
  return { child, output: () => output, prints, ended }
}

/** The first of two consecutive free ports. */
async function freePortPair(): Promise<number> {
  const port = await freePort()
  return port < 65_535 && (await isFree(port + 1)) ? port : freePortPair()
}

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** The running processes of a group. Zombies have ended. */
async function membersOf(group: number): Promise<string[]> {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(processes.map((id) => readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')))
  return stats.filter((line) => {
    const [state, , processGroup] = line.slice(line.lastIndexOf(')') + 2).split(' ')
    return Number(processGroup) === group && state !== 'Z'
  })
}

/** Waits for all processes of the group to end and its ports to be free: workerd ends shortly after npm. */
async function expectNothingLeft({ child }: Run, ports: number[] = []): Promise<void> {
  await expect.poll(() => membersOf(child.pid!), { timeout: 20_000 }).toEqual([])
  await expect.poll(() => Promise.all(ports.map(isFree)), { timeout: 20_000 }).toEqual(ports.map(() => true))
}

const READY = /Ctrl-C stops everything\.\n/

/** Each printed request, with its printed result. */
function readExamples(output: string): { curl: string; outcome: string }[] {
  return Array.from(
    output.matchAll(/^(curl (?:.*\\\n)*.*)\n\n((?:.|\n)*?)(?=\n\n\S.*:\n\n|\n\nCtrl-C)/gm),
    (found) => ({
      curl: found[1]!,
      outcome: found[2]!,
    }),
  )
}

const run = async (curl: string) => JSON.parse((await promisify(execFile)('sh', ['-c', curl])).stdout)
const claimsIn = (outcome: string) => JSON.parse(/^\{\n.*^\}$/ms.exec(outcome)![0])

describe('npm start', () => {
  test('creates settings, shows a token, and on Ctrl-C stops everything it started', async () => {
    const port = await freePortPair()
    const started = npmStart(port)
    await started.prints(READY)

    const devVars = await readFile(join(checkout, '.dev.vars'), 'utf8')
    expect((await stat(join(checkout, '.dev.vars'))).mode & 0o777).toBe(0o600)
    const secret = /^MEMBRANE_WORKSPACE_SECRET="(.*)"$/m.exec(devVars)![1]!
    const workspaceKey = /^MEMBRANE_WORKSPACE_KEY="(.*)"$/m.exec(devVars)![1]!
    expect(started.output()).not.toContain(secret)

    const examples = readExamples(started.output())
    expect(examples).toHaveLength(4)
    const tokens: [Record<string, unknown>, longest: number][] = [
      [{ iss: workspaceKey, id: 'customer-7', name: 'Globex Corp.' }, 3600],
      [{ iss: workspaceKey, id: 'customer-42', name: 'Acme Inc.', fields: { plan: 'trial' } }, 7200],
      [{ iss: workspaceKey, isAdmin: true }, 600],
    ]
    for (const [index, [claims, longest]] of tokens.entries()) {
      const { curl, outcome } = examples[index]!
      expect(claimsIn(outcome)).toMatchObject(claims)
      const { token, expiresIn } = await run(curl)
      expect(expiresIn).toBeGreaterThan(longest - 60)
      expect(expiresIn).toBeLessThanOrEqual(longest)
      const dates = { jti: expect.any(String), iat: expect.any(Number), exp: expect.any(Number) }
      expect(jwt.verify(token, secret, { algorithms: ['HS512'] })).toEqual({ ...claims, ...dates })
    }
    expect(claimsIn(examples[3]!.outcome)).toEqual({ keys: [] })
    expect(await run(examples[3]!.curl)).toEqual({ keys: [] })
    expect(started.output()).toContain(`Identity provider: http://127.0.0.1:${port + 1}\n`)
    expect(started.output()).toContain('Cloudflare Access cannot run locally')

    const [, page] = /^Sign-in, console: {2}(http:\S+)$/m.exec(started.output())!
    expect(await (await fetch(new URL('console', page))).text()).toContain('<title>membrane-token console')

    const second = npmStart(port)
    expect(await second.ended).toBe(1)
    expect(second.output()).toContain(`Port ${port} is in use`)
    const third = npmStart(port - 1)
    expect(await third.ended).toBe(1)
    expect(third.output()).toContain(`Port ${port} (local identity provider) is in use`)

    expect((await membersOf(started.child.pid!)).length).toBeGreaterThan(1)
    process.kill(-started.child.pid!, 'SIGINT')
    await started.ended
    await expectNothingLeft(started, [port, port + 1])
  })

  test('keeps existing settings, and stops when only npm gets a signal', async () => {
    const before = await readFile(join(checkout, '.dev.vars'), 'utf8')
    const port = await freePortPair()
    const started = npmStart(port)
    await started.prints(READY)
    expect(started.output()).toContain('Using the settings in .dev.vars')
    expect(await readFile(join(checkout, '.dev.vars'), 'utf8')).toBe(before)

    started.child.kill('SIGTERM')
    await started.ended
    await expectNothingLeft(started, [port, port + 1])
  })

  /** Runs `npm start` with changed settings, and restores the original ones. */
  async function withDevVars(
    change: (devVars: string) => string,
    check: (started: Run) => Promise<void>,
  ): Promise<void> {
    const path = join(checkout, '.dev.vars')
    const before = await readFile(path, 'utf8')
    await writeFile(path, change(before))
    const started = npmStart(await freePortPair())
    try {
      await check(started)
      if (started.child.exitCode === null) process.kill(-started.child.pid!, 'SIGINT')
      await started.ended
      await expectNothingLeft(started)
    } finally {
      await writeFile(path, before)
    }
  }

  test('shows the request that an API key without a scope cannot make', async () => {
    await withDevVars(
      (devVars) => devVars.replace(',"admin"', ''),
      async (started) => {
        await started.prints(READY)
        const outcomes = readExamples(started.output()).map(({ outcome }) => outcome)
        expect(outcomes).toHaveLength(4)
        expect(outcomes[2]).toMatch(/rejected.*scope "admin"/)
        for (const index of [0, 1, 3]) expect(outcomes[index]).toMatch(/^The (token in the )?response/)
      },
    )
  })

  test('uses the configured identity provider, and shows the requests that work', async () => {
    await withDevVars(
      (devVars) =>
        `${devVars.replace('# API key:', '# The key is')}SESSION_ISSUER="https://login.example"\nSESSION_AUDIENCE="a"\n`,
      async (started) => {
        await started.prints(READY)
        expect(started.output()).toContain('.dev.vars sets an identity provider')
        expect(started.output()).toContain('no line "# API key: …"')
        expect(readExamples(started.output()).map(({ curl }) => curl)).toEqual([
          expect.stringContaining('/.well-known/jwks.json'),
        ])
      },
    )
  })

  test('names an invalid setting', async () => {
    await withDevVars(
      (devVars) =>
        devVars.replace(/^MEMBRANE_WORKSPACE_KEY=.*$/m, 'MEMBRANE_WORKSPACE_KEY="<WORKSPACE_KEY>"'),
      async (started) => {
        expect(await started.ended).toBe(1)
        expect(started.output()).toMatch(/MEMBRANE_WORKSPACE_KEY .*placeholder/)
      },
    )
  })

  test('rejects an invalid port', async () => {
    const started = npmStart(70_000)
    expect(await started.ended).toBe(1)
    expect(started.output()).toContain('PORT must be')
  })
})
