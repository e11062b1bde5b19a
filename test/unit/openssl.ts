import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Tests that need these commands are skipped on machines without them. */
export const hasOpenssl: boolean = spawnSync('openssl', ['version']).status === 0
// An unknown option makes it print its usage; without options it prompts.
export const hasSshKeygen: boolean = spawnSync('ssh-keygen', ['-?']).error === undefined

for (const [name, isInstalled] of Object.entries({ openssl: hasOpenssl, 'ssh-keygen': hasSshKeygen }))
  if (!isInstalled) console.log(`${name} not found: tests that run it are skipped.`)

/** The output of `openssl` for a command line such as `genrsa 2048`. */
export function openssl(command: string, input = ''): string {
  return Buffer.from(opensslBytes(command, input)).toString()
}

export function opensslBytes(command: string, input = ''): Uint8Array {
  return new Uint8Array(execFileSync('openssl', command.split(' '), { input, stdio: 'pipe' }))
}

/** A private key that `ssh-keygen` generates, unencrypted. */
export function sshKey(options: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'membrane-token-'))
  try {
    const file = join(folder, 'key')
    execFileSync('ssh-keygen', [...options.split(' '), '-q', '-N', '', '-f', file], { stdio: 'pipe' })
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
