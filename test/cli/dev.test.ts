import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import jwt from 'jsonwebtoken'
import { beforeAll, describe, expect, test } from 'vitest'
import { RUNTIMES, useCommand } from './harness.ts'

const { command, directory, start, write, expectWrongUsage } = useCommand()

const CONSOLE = '<!doctype html><title>A console</title>'
beforeAll(() => writeFileSync(join(dirname(command), 'console.html'), CONSOLE))

async function dev(call: Parameters<typeof start>[1], settings: string) {
  const started = await start(['dev', '--port=0', `--settings=${settings}`], call)
  await started.says(/Ctrl-C stops everything/)
  const urlOf = (label: string) =>
    new RegExp(`^${label}: +(http://127\\.0\\.0\\.1:\\d+\\S*)$`, 'm').exec(started.stdout())![1]!
  return {
    ...started,
    service: urlOf('Token service'),
    issuer: urlOf('Identity provider'),
    page: urlOf('Sign-in, console'),
  }
}

/** Sends a custom `Host`, which fetch does not allow. */
const statusWithHost = (url: string, host: string) =>
  new Promise((resolve, reject) => {
    request(url, { headers: { Host: host } }, (response) => resolve(response.resume().statusCode))
      .once('error', reject)
      .end()
  })

describe.each(RUNTIMES)('dev on $name', (runtime) => {
  test('issues tokens for sessions of its identity provider, on loopback only', async () => {
    const settings = `${runtime.name}.env`
    const env = {
      MEMBRANE_WORKSPACE_KEY: 'a-real-one',
      MEMBRANE_WORKSPACE_SECRET: 'r'.repeat(40),
      ALLOWED_ORIGINS: 'https://real.example',
    }
    const { service, issuer, page, stdout, stop } = await dev({ runtime, env }, settings)
    const text = readFileSync(join(directory, settings), 'utf8')
    expect(statSync(join(directory, settings)).mode & 0o777).toBe(0o600)
    const [, workspaceKey] = /^MEMBRANE_WORKSPACE_KEY="(.*)"$/m.exec(text)!
    const [, secret] = /^MEMBRANE_WORKSPACE_SECRET="(.*)"$/m.exec(text)!
    expect(stdout()).not.toContain(secret)
    expect(stdout().match(/^The token in the response contains:$/gm)).toHaveLength(3)

    const html = await (await fetch(page)).text()
    const sessions = Array.from(
      html.matchAll(/href="(sessions\/[^"]+)"/g),
      ([, path]) => new URL(path!, page),
    )
    expect(sessions.length).toBeGreaterThan(1)
    for (const address of sessions) {
      const { session } = (await (await fetch(address)).json()) as { session: string }
      const response = await fetch(`${service}/api/membrane-token`, {
        headers: { Authorization: `Bearer ${session}` },
      })
      const { token } = (await response.json()) as { token: string }
      expect(jwt.verify(token, secret!, { algorithms: ['HS512'] })).toMatchObject({
        iss: workspaceKey,
        id: decodeURIComponent(address.pathname.split('/').at(-1)!),
      })
    }

    expect(html).toContain('href="console"')
    expect(await (await fetch(new URL('console', page))).text()).toBe(CONSOLE)

    // The page has a secret address, and pages of other origins or hosts cannot read it or the service.
    expect((await fetch(new URL('/', page))).status).toBe(404)
    expect((await fetch(new URL('/guess/sessions/customer-7', page))).status).toBe(404)
    const headers = { Origin: 'https://real.example' }
    for (const address of [
      page,
      `${issuer}/jwks.json`,
      `${service}/health`,
      `${service}/api/membrane-token`,
    ]) {
      expect((await fetch(address, { headers })).headers.get('Access-Control-Allow-Origin')).toBe(null)
      expect(await statusWithHost(address, 'attacker.example')).toBe(421)
    }
    expect(await stop('SIGINT')).toBe(0)
  })
})

describe('dev', () => {
  test('keeps its settings, and generates a new secret for the page at every start', async () => {
    const first = await dev({}, 'kept.env')
    expect(first.stdout()).toMatch(/^Generated the settings in kept\.env/)
    await first.stop()
    const before = readFileSync(join(directory, 'kept.env'), 'utf8')
    const second = await dev({}, 'kept.env')
    expect(second.stdout()).toMatch(/^Using the settings in kept\.env/)
    await second.stop()
    expect(readFileSync(join(directory, 'kept.env'), 'utf8')).toBe(before)
    const secretOf = (page: string) => new URL(page).pathname
    expect(secretOf(first.page)).toMatch(/^\/[\w-]{32}\/$/)
    expect(secretOf(first.page)).not.toBe(secretOf(second.page))
  })

  test('rejects settings that it did not generate', async () => {
    write('real.env', `MEMBRANE_WORKSPACE_KEY=real\nMEMBRANE_WORKSPACE_SECRET=${'s'.repeat(40)}\n`)
    await expectWrongUsage(['dev', '--settings=real.env', '--port=0'], 'may contain real settings')
  })

  test.each([
    [['--port=65535'], '--port must be a number from 0 to 65534'],
    [['--host=0.0.0.0'], 'Unknown option --host'],
    [['--settings=none/dev.env', '--port=0'], 'Cannot write none/dev.env: ENOENT'],
  ])('%j is wrong usage', (args, reason) => expectWrongUsage(['dev', ...args], reason))
})
