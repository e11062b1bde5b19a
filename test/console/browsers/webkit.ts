import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import type { Browser, BrowserOptions } from './browser.ts'
import { createInput } from './web-driver.ts'

/** Debian's WebKitGTK, over classic WebDriver. */
export async function startWebKit({ url, proxy }: BrowserOptions): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'membrane-token-webkit-'))
  const port = await findPort()
  const child = spawn('xvfb-run', ['--auto-servernum', 'WebKitWebDriver', `--port=${port}`], {
    stdio: 'ignore',
    detached: true,
    env: {
      ...process.env,
      HOME: home,
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      DBUS_SESSION_BUS_ADDRESS: 'disabled:',
      NO_AT_BRIDGE: '1',
    },
  })
  const send = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    })
    const { value } = (await response.json()) as { value: { error?: string; message?: string } | null }
    if (!response.ok) throw new Error(`${path}: ${value?.error}: ${value?.message}`)
    return value
  }
  let session = ''
  const close = async () => {
    if (session) await send('DELETE', session).catch(() => {})
    try {
      process.kill(-(child.pid ?? 0), 'SIGTERM')
    } catch {
      // It has ended by itself.
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  try {
    for (let tries = 0; tries < 200; tries++) {
      if (
        await send('GET', '/status').then(
          () => true,
          () => false,
        )
      )
        break
      await wait(50)
    }
    const { sessionId } = (await send('POST', '/session', {
      capabilities: {
        alwaysMatch: {
          'webkitgtk:browserOptions': {
            binary: globSync('/usr/lib/*/webkit2gtk-4.*/MiniBrowser')[0],
            args: ['--automation', `--proxy=http://${proxy}`],
          },
        },
      },
    })) as { sessionId: string }
    session = `/session/${sessionId}`
    await send('POST', `${session}/url`, { url })
    return {
      evaluate: async (expression) => {
        const script = `const done = arguments[arguments.length - 1]
          Promise.resolve(${expression}).then(
            (value) => done(JSON.stringify({ value: value ?? null })),
            (error) => done(JSON.stringify({ error: String(error) })),
          )`
        const answer = await send('POST', `${session}/execute/async`, { script, args: [] })
        const { value, error } = JSON.parse(String(answer)) as { value: unknown; error?: string }
        if (error !== undefined) throw new Error(error)
        return value
      },
      ...createInput((actions) => send('POST', `${session}/actions`, { actions })),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
