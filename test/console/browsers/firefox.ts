import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { writePreferences } from '../../browsers/firefox-profile.ts'
import { type RunningProcess, startProcess } from '../../browsers/processes.ts'
import type { Browser, BrowserOptions } from './browser.ts'
import { createInput } from './web-driver.ts'

type Reply = { id: number; result?: unknown; error?: string; message?: string }

/** Debian's Firefox, over WebDriver BiDi, which needs no separate driver. */
export async function startFirefox({ url, proxy }: BrowserOptions): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'membrane-token-firefox-'))
  const [host, port] = proxy.split(':') as [string, string]
  writePreferences(profile, { host, port: Number(port) })
  const firefox = startProcess(
    [
      'firefox-esr',
      '--headless',
      '--no-remote',
      '--profile',
      profile,
      '--remote-debugging-port',
      '0',
      'about:blank',
    ],
    { env: { ...process.env, HOME: profile } },
  )
  const close = async () => {
    await firefox.stop()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  try {
    const send = await connect(await readAddress(firefox))
    await send('session.new', { capabilities: {} })
    const { contexts } = (await send('browsingContext.getTree', {})) as { contexts: { context: string }[] }
    const context = contexts[0]?.context
    await send('browsingContext.navigate', { context, url, wait: 'complete' })
    return {
      evaluate: async (expression) => {
        const wrapped = `Promise.resolve(${expression}).then((value) => JSON.stringify(value ?? null))`
        const response = (await send('script.evaluate', {
          expression: wrapped,
          target: { context },
          awaitPromise: true,
        })) as { result?: { value: string }; exceptionDetails?: { text: string } }
        if (!response.result) throw new Error(response.exceptionDetails?.text)
        return JSON.parse(response.result.value)
      },
      ...createInput((actions) => send('input.performActions', { context, actions })),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function readAddress({ output }: RunningProcess): Promise<string> {
  for (let tries = 0; tries < 400; tries++) {
    const address = /WebDriver BiDi listening on (ws:\S+)/.exec(output())?.[1]
    if (address) return `${address}/session`
    await wait(50)
  }
  throw new Error(`Firefox does not listen:\n${output()}`)
}

async function connect(address: string): Promise<(method: string, params: object) => Promise<unknown>> {
  const socket = new WebSocket(address)
  await once(socket, 'open')
  const waiting = new Map<number, (reply: Reply) => void>()
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply
    waiting.get(reply.id)?.(reply)
    waiting.delete(reply.id)
  })
  let last = 0
  return async (method, params) => {
    last += 1
    const id = last
    const reply = await new Promise<Reply>((resolve) => {
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
    if (reply.error) throw new Error(`${method}: ${reply.error}: ${reply.message}`)
    return reply.result
  }
}
