import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildConsole } from '../../../scripts/build-console.ts'
import type { Browser, BrowserOptions } from './browser.ts'
import { createPerson, type Person } from './person.ts'

export interface ConsoleFile {
  /** Its file URL. */
  url: string
  remove(): void
}

/** Builds the page into a temporary file. */
export async function writeConsole(): Promise<ConsoleFile> {
  const directory = mkdtempSync(join(tmpdir(), 'membrane-token-console-'))
  const path = join(directory, 'console.html')
  writeFileSync(path, await buildConsole())
  return {
    url: pathToFileURL(path).href,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export interface OpenConsole {
  url: string
  browser: Browser
  person: Person
  /** Everything that the browser tried to send, its own traffic included: method, target, headers and body. */
  requests: readonly string[]
  close(): Promise<void>
}

/** Opens the page in a browser without network access. */
export async function openConsole(
  start: (options: BrowserOptions) => Promise<Browser>,
): Promise<OpenConsole> {
  const { url, remove } = await writeConsole()
  const network = await watchNetwork()
  const browser = await start({ url, proxy: network.proxy })
  return {
    url,
    browser,
    person: createPerson(browser),
    requests: network.requests,
    close: async () => {
      await browser.close()
      network.close()
      remove()
    },
  }
}

/** A token of an identity provider, with a signature that nobody verifies. */
export function sessionOf(claims: object, signature = 'AAAA'): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'RS256' })}.${encode(claims)}.${signature}`
}

/** A proxy that rejects and records every request. */
async function watchNetwork(): Promise<{ proxy: string; requests: string[]; close(): void }> {
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
