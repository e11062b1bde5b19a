import { connect, type Socket } from 'node:net'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

export interface LoadOptions {
  port: number
  /** Serialized HTTP requests; sent in turn. */
  requests: readonly Buffer[]
  /** Number of keep-alive connections, each with one request at a time. */
  connections: number
  /** Number of requests; default: no limit. */
  count?: number
  /** No request is sent after this time. */
  milliseconds: number
  /** Checks a complete response; any other response counts as an error. */
  isExpected: (response: string) => boolean
}

export interface LoadResult {
  requests: number
  seconds: number
  /** Time to each response, in microseconds. */
  latency: RecordableHistogram
  errors: number
  firstError?: string
}

/** Milliseconds; a request without a response by then counts as an error. */
const TIMEOUT = 10_000

/**
 * Sends requests over several connections. Each connection sends its next request after the response to the previous one.
 *
 * Not autocannon, which measures latency in whole milliseconds although most responses take less than one, and uses 1.4
 * times the CPU time, on the machine that also runs the server.
 */
export async function sendLoad(load: LoadOptions): Promise<LoadResult> {
  const measured: LoadResult = { requests: 0, seconds: 0, latency: createHistogram(), errors: 0 }
  const start = performance.now()
  const state = { sent: 0, until: start + load.milliseconds }
  await Promise.all(Array.from({ length: load.connections }, () => runConnection(load, measured, state)))
  measured.seconds = (performance.now() - start) / 1000
  return measured
}

function runConnection(
  load: LoadOptions,
  measured: LoadResult,
  state: { sent: number; until: number },
): Promise<void> {
  const { port, requests, count = Number.POSITIVE_INFINITY, isExpected } = load
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let received = ''
    let sentAt = 0

    const fail = (reason: string) => {
      measured.errors++
      measured.firstError ??= reason
      socket.destroy()
    }
    const sendNext = () => {
      sentAt = performance.now()
      if (state.sent >= count || sentAt >= state.until) return socket.destroy()
      received = ''
      return socket.write(requests[state.sent++ % requests.length] as Buffer)
    }

    socket.setTimeout(TIMEOUT, () => fail('timed out'))
    socket.on('connect', sendNext)
    socket.on('error', (error) => fail(error.message))
    socket.on('end', () => fail('connection closed'))
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!isComplete(received)) return
      measured.latency.record(Math.max(1, Math.round((performance.now() - sentAt) * 1000)))
      measured.requests++
      if (isExpected(received)) sendNext()
      else fail(received.slice(0, 500))
    })
  })
}

/** Whether an HTTP response is complete (RFC 9112 section 6). */
function isComplete(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const length = /\r\nContent-Length: *(\d+)/i.exec(received)?.[1]
  return length === undefined
    ? received.endsWith('\r\n0\r\n\r\n')
    : received.length >= headEnd + 4 + Number(length)
}
