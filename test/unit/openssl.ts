import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The very commands that people run. A machine without them skips what needs them. */
export const hasOpenssl: boolean = spawnSync('openssl', ['version']).status === 0
// Without arguments it would ask questions; an unknown option only makes it print its usage.
export const hasSshKeygen: boolean = spawnSync('ssh-keygen', ['-?']).error === undefined

for (const [name, isThere] of Object.entries({ openssl: hasOpenssl, 'ssh-keygen': hasSshKeygen }))
  if (!isThere) console.log(`There is no ${name}: tests that run it are skipped.`)

/** What `openssl` prints for a command line such as `genrsa 2048`, given `input`. */
export function openssl(command: string, input = ''): string {
  return execFileSync('openssl', command.split(' '), { input, encoding: 'utf8', stdio: 'pipe' })
}

export function opensslBytes(command: string, input = ''): Uint8Array {
  return new Uint8Array(execFileSync('openssl', command.split(' '), { input, stdio: 'pipe' }))
}

/** A private key as `ssh-keygen` leaves it in a home directory. */
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
