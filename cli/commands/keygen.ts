import { writeFile } from 'node:fs/promises'
import { type Algorithm, generateKeyPair, type KeyPair } from 'membrane-token'
import { defineCommand } from '../command.ts'
import { JSON_OPTIONS, toJson } from '../output.ts'
import { ExitCode, type Terminal, UsageError } from '../terminal.ts'

const DEFAULT_FILE = 'membrane-private-key.pem'

export const command = defineCommand(
  {
    name: 'keygen',
    usage: ['[options]'],
    description: `Generates a key pair. Writes the private key to a new file with mode 0600 and never overwrites a file.
Prints the public key and the JWK set.`,
    maxPositionals: 0,
    options: {
      algorithm: {
        type: 'string',
        value: 'NAME',
        description: 'ES256 (default), ES384, ES512, or an RS* or PS* algorithm',
      },
      bits: {
        type: 'string',
        value: 'BITS',
        description: 'Length of an RSA key: 2048 (default), 3072, 4096',
      },
      out: {
        type: 'string',
        value: 'FILE',
        description: `File for the private key; default: ${DEFAULT_FILE}; "-" pipes it to standard output`,
      },
      ...JSON_OPTIONS,
    },
    examples: [
      { title: 'Generate a P-256 key', command: 'membrane-token keygen' },
      {
        title: 'Generate a 3072-bit RSA key',
        command: 'membrane-token keygen --algorithm RS256 --bits 3072 --out rsa.pem',
      },
      {
        title: 'Store the private key as a Cloudflare secret, without a file',
        command: 'membrane-token keygen --out - | npx wrangler secret put MEMBRANE_PRIVATE_KEY',
      },
    ],
  },
  async ({ options }, terminal) => {
    const { out: path = DEFAULT_FILE, json, bits } = options
    if (path === '-' && (json || terminal.isInteractive)) {
      throw new UsageError(
        json
          ? 'With --out -, only the private key goes to standard output; drop --json.'
          : '--out - needs a pipe: a terminal would show the key and keep it in its scrollback.',
      )
    }
    const pair = await generateKeyPair((options.algorithm ?? 'ES256') as Algorithm, {
      modulusLength: readBits(bits),
    })
    if (path === '-') {
      terminal.out(pair.privateKey.trimEnd())
      explain(pair, 'to standard output', terminal.note, terminal)
      return ExitCode.Success
    }
    await writePrivateKey(path, pair.privateKey)
    if (json) terminal.out(toJson(describe(pair, path)))
    else explain(pair, `to ${path} (mode 0600)`, terminal.out, terminal)
    return ExitCode.Success
  },
)

function readBits(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{4}$/.test(text)) return Number(text)
  throw new UsageError('--bits must be a number such as 2048, 3072 or 4096.')
}

async function writePrivateKey(path: string, pem: string): Promise<void> {
  try {
    await writeFile(path, pem, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST')
      throw new UsageError(`${path} already exists and is never overwritten. Choose another file with --out.`)
    throw new UsageError(`Cannot write ${path}: ${code}.`)
  }
}

function describe({ algorithm, keyId, publicKey, publicJwk }: KeyPair, privateKeyFile: string): object {
  return { algorithm, keyId, privateKeyFile, publicKey, jwks: { keys: [publicJwk] } }
}

/** Shows the public half; instructions go to standard error. */
function explain(pair: KeyPair, where: string, show: (text: string) => void, terminal: Terminal): void {
  const { algorithm, keyId, publicKey, publicJwk } = pair
  const say = (text: string): void => terminal.note(terminal.paintNote('dim', text))
  say(`Wrote the private key of a new ${algorithm} pair ${where}.`)
  say(
    'Set it as MEMBRANE_PRIVATE_KEY where tokens are signed. Keep no other copy, for example in a repository or an image.',
  )
  say(`Its key id is ${keyId}.\n`)
  say("Public key, for the workspace's settings in Membrane:\n")
  show(publicKey.trimEnd())
  say('\nJWK set, if you host it yourself; the token service publishes it at /.well-known/jwks.json:\n')
  show(toJson({ keys: [publicJwk] }))
}
