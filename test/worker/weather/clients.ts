import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'

/** Each client has a connection of its own, without anything between it and workerd. */

export interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly milliseconds: number
}

/** Asks for a token, and waits for the answer. */
export function ask(port: number, scenario: string, session: string): Promise<Answer> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${session}` }
    const sent = request({ host: '127.0.0.1', port, path: `/${scenario}/token`, headers, agent: false })
    sent.on('error', reject)
    sent.on('response', async (response) => {
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      const milliseconds = performance.now() - start
      const { code } = JSON.parse(text) as { code?: string }
      resolve({ status: response.statusCode ?? 0, code, milliseconds })
    })
    sent.end()
  })
}

export function askAtOnce(
  count: number,
  port: number,
  scenario: string,
  session: (index: number) => string,
): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => ask(port, scenario, session(index))))
}

/** Asks for a token, and resets the connection (RST) before the answer can come. */
export async function askAndReset(
  port: number,
  scenario: string,
  session: string,
  milliseconds: number,
): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(`GET /${scenario}/token HTTP/1.1\r\nHost: worker\r\nAuthorization: Bearer ${session}\r\n\r\n`)
  await pause(milliseconds)
  socket.resetAndDestroy()
}

/** Moves the clock of a scenario on. */
export async function wait(port: number, scenario: string, milliseconds: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/${scenario}/wait?milliseconds=${milliseconds}`)
  if (!response.ok) throw new Error(`wait was answered with ${response.status}`)
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
