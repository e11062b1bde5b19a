import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildConsole } from '../../../scripts/build-console.ts'

export interface ConsoleFile {
  html: string
  /** Its file URL. */
  url: string
  remove(): void
}

/** Builds the page into a file, from which it is opened. */
export async function writeConsole(): Promise<ConsoleFile> {
  const directory = mkdtempSync(join(tmpdir(), 'membrane-token-console-'))
  const path = join(directory, 'console.html')
  const html = await buildConsole()
  writeFileSync(path, html)
  return {
    html,
    url: pathToFileURL(path).href,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export interface Watch {
  /** `host:port` */
  proxy: string
  /** Everything that anything tried to send, browsers' own traffic included: method, target, headers and body. */
  requests: string[]
  close(): void
}

/** A proxy that lets nothing through and writes down what was asked for. */
export async function watchNetwork(): Promise<Watch> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const head = `${request.method} ${request.url} ${JSON.stringify(request.headers)}`
    const index = requests.push(head) - 1
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (chunk: string) => {
      body += chunk
      requests[index] = `${head} ${body}`
    })
    response.writeHead(403).end()
  })
  server.on('connect', (request, socket) => {
    requests.push(`CONNECT ${request.url}`)
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    proxy: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
