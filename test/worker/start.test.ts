import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import jwt from 'jsonwebtoken'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const PARTS = ['package.json', 'tsconfig.json', 'wrangler.toml', 'scripts', 'src', 'worker']

let checkout: string

// A copy, because npm start writes into the checkout it runs in, and there may be settings in this one.
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'membrane-token-start-'))
  await Promise.all(PARTS.map((part) => cp(join(root, part), join(checkout, part), { recursive: true })))
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'))
})
afterAll(() => rm(checkout, { recursive: true, force: true }))

const running = new Set<ChildProcess>()

// Whatever a failed test left behind.
afterEach(() => {
  for (const { pid } of running) {
    try {
      process.kill(-pid!, 'SIGKILL')
    } catch {
      // It has ended, as it should.
    }
  }
  running.clear()
})

interface Run {
  child: ChildProcess
  output: () => string
  /** Resolves when the output matches, rejects when the process ends before. */
  says: (pattern: RegExp) => Promise<void>
  ended: Promise<number | null>
}

/** `npm start` in a process group of its own, as a shell would start it. */
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
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      look = () => pattern.test(output) && resolve()
      look()
      ended.then((code) => reject(new Error(`npm start ended with ${code}, saying:\n${output}`)))
    })
  return { child, output: () => output, says, ended }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** What is left of a process group; a zombie has ended, only nobody has asked for its exit code. */
async function membersOf(group: number): Promise<string[]> {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(processes.map((id) => readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')))
  return stats.filter((line) => {
    const [state, , processGroup] = line.slice(line.lastIndexOf(')') + 2).split(' ')
    return Number(processGroup) === group && state !== 'Z'
  })
}

const READY = /Ctrl-C stops the Worker\.\n/

describe('npm start', () => {
  test('makes settings, shows a token, and ends at Ctrl-C with everything it started', async () => {
    const port = await freePort()
    const run = npmStart(port)
    await run.says(READY)

    const devVars = await readFile(join(checkout, '.dev.vars'), 'utf8')
    expect((await stat(join(checkout, '.dev.vars'))).mode & 0o777).toBe(0o600)
    const secret = /^MEMBRANE_WORKSPACE_SECRET="(.*)"$/m.exec(devVars)![1]!
    const workspaceKey = /^MEMBRANE_WORKSPACE_KEY="(.*)"$/m.exec(devVars)![1]!
    expect(run.output()).not.toContain(secret)

    const claims = JSON.parse(/^\{\n.*?^\}$/ms.exec(run.output())![0])
    expect(claims).toMatchObject({ id: 'customer-42', iss: workspaceKey })

    const curl = /^curl (?:.*\\\n)*.*$/m.exec(run.output())![0]
    const { stdout } = await promisify(execFile)('sh', ['-c', curl])
    const { token, expiresIn } = JSON.parse(stdout)
    expect(expiresIn).toBe(7200)
    const {
      iat: _,
      exp: __,
      ...pasted
    } = jwt.verify(token, secret, { algorithms: ['HS512'] }) as jwt.JwtPayload
    expect(claims).toMatchObject(pasted)

    const second = npmStart(port)
    expect(await second.ended).toBe(1)
    expect(second.output()).toContain(`Port ${port} is busy`)

    expect((await membersOf(run.child.pid!)).length).toBeGreaterThan(1)
    process.kill(-run.child.pid!, 'SIGINT')
    await run.ended
    expect(await membersOf(run.child.pid!)).toEqual([])
    expect(await isFree(port)).toBe(true)
  })

  test('keeps settings that are there, and ends when only npm is told to', async () => {
    const before = await readFile(join(checkout, '.dev.vars'), 'utf8')
    const port = await freePort()
    const run = npmStart(port)
    await run.says(READY)
    expect(run.output()).not.toContain('Wrote')
    expect(await readFile(join(checkout, '.dev.vars'), 'utf8')).toBe(before)

    run.child.kill('SIGTERM')
    await run.ended
    expect(await membersOf(run.child.pid!)).toEqual([])
    expect(await isFree(port)).toBe(true)
  })

  test('names a setting that is wrong', async () => {
    const path = join(checkout, '.dev.vars')
    const before = await readFile(path, 'utf8')
    await writeFile(
      path,
      before.replace(/^MEMBRANE_WORKSPACE_KEY=.*$/m, 'MEMBRANE_WORKSPACE_KEY="<WORKSPACE_KEY>"'),
    )
    const run = npmStart(await freePort())
    expect(await run.ended).toBe(1)
    expect(run.output()).toMatch(/MEMBRANE_WORKSPACE_KEY .*placeholder/)
    expect(await membersOf(run.child.pid!)).toEqual([])
  })

  test('names a port that is none', async () => {
    const run = npmStart(70_000)
    expect(await run.ended).toBe(1)
    expect(run.output()).toContain('PORT must be')
  })
})
