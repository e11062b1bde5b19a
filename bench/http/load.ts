import { connect, type Socket } from 'node:net'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

export interface Load {
  port: number
  /** Requests as they go over the wire; sent in turn. */
  requests: readonly Buffer[]
  /** Connections that are kept open, each with one request on its way. */
  connections: number
  /** Ends after this many requests, or milliseconds, whichever comes first. */
  count?: number
  milliseconds: number
  /** Whether an answer, in full, is the one that was to come. */
  isGood: (answer: string) => boolean
}

export interface Measured {
  requests: number
  seconds: number
  /** Of every answer, in microseconds. */
  latency: RecordableHistogram
  errors: number
  /** What went wrong first. */
  firstError?: string
}

/** Milliseconds after which a request that is not answered counts as an error. */
const TIME_OUT = 10_000

/**
 * Sends requests over as many connections as are asked for, each the next when the last is answered.
 *
 * Written for this, because autocannon counts in whole milliseconds, where most answers take less than one, and takes
 * 1.4 times the processor for a request, of the machine that it shares with what it measures.
 */
export async function sendLoad(load: Load): Promise<Measured> {
  const measured: Measured = { requests: 0, seconds: 0, latency: createHistogram(), errors: 0 }
  const start = performance.now()
  const state = { sent: 0, until: start + load.milliseconds }
  await Promise.all(Array.from({ length: load.connections }, () => runConnection(load, measured, state)))
  measured.seconds = (performance.now() - start) / 1000
  return measured
}

function runConnection(
  load: Load,
  measured: Measured,
  state: { sent: number; until: number },
): Promise<void> {
  const { port, requests, count = Number.POSITIVE_INFINITY, isGood } = load
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let received = ''
    let sentAt = 0

    const fail = (reason: string) => {
      measured.errors++
      measured.firstError ??= reason
      socket.destroy()
    }
    const next = () => {
      sentAt = performance.now()
      if (state.sent >= count || sentAt >= state.until) return socket.destroy()
      received = ''
      return socket.write(requests[state.sent++ % requests.length] as Buffer)
    }

    socket.setTimeout(TIME_OUT, () => fail('no answer in time'))
    socket.on('connect', next)
    socket.on('error', (error) => fail(error.message))
    socket.on('end', () => fail('the connection was closed'))
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!isComplete(received)) return
      measured.latency.record(Math.max(1, Math.round((performance.now() - sentAt) * 1000)))
      measured.requests++
      if (isGood(received)) next()
      else fail(received.slice(0, 500))
    })
  })
}

/** Whether an HTTP response has come to its end (RFC 9112 section 6). */
function isComplete(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const length = /\r\nContent-Length: *(\d+)/i.exec(received)?.[1]
  return length === undefined
    ? received.endsWith('\r\n0\r\n\r\n')
    : received.length >= headEnd + 4 + Number(length)
}
