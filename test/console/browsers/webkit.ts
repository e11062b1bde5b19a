import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { webkit } from '../../browsers/engines.ts'
import { startProcess } from '../../browsers/processes.ts'
import { freePort } from '../../support/free-port.ts'
import type { Browser, BrowserOptions } from './browser.ts'
import { createInput } from './web-driver.ts'

/** Debian's WebKitGTK, over classic WebDriver. */
export async function startWebKit({ url, proxy }: BrowserOptions): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'membrane-token-webkit-'))
  const port = await freePort()
  const driver = startProcess([...webkit.wrapper, 'WebKitWebDriver', `--port=${port}`], {
    env: { ...process.env, HOME: home, ...webkit.env },
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
  const isListening = () =>
    send('GET', '/status').then(
      () => true,
      () => false,
    )
  let session = ''
  const close = async () => {
    if (session) await send('DELETE', session).catch(() => {})
    await driver.stop()
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  try {
    for (let tries = 0; tries < 200 && !(await isListening()); tries++) await wait(50)
    const { sessionId } = (await send('POST', '/session', {
      capabilities: {
        alwaysMatch: {
          'webkitgtk:browserOptions': {
            binary: webkit.binary,
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
        const result = await send('POST', `${session}/execute/async`, { script, args: [] })
        const { value, error } = JSON.parse(String(result)) as { value: unknown; error?: string }
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
