import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'

/** Clients that each have their own connection to workerd. */

export interface Outcome {
  readonly status: number
  readonly code: string | undefined
  readonly milliseconds: number
}

export function requestToken(port: number, scenario: string, session: string): Promise<Outcome> {
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

export function requestTokens(
  count: number,
  port: number,
  scenario: string,
  session: () => string,
): Promise<Outcome[]> {
  return Promise.all(Array.from({ length: count }, () => requestToken(port, scenario, session())))
}

/** Requests a token, and resets the connection (RST) after a time. */
export async function requestAndReset(
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

/** Moves the clock of a scenario forward. */
export async function wait(port: number, scenario: string, milliseconds: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/${scenario}/wait?milliseconds=${milliseconds}`)
  if (!response.ok) throw new Error(`wait: status ${response.status}`)
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
