import { inspectKey, type KeyInspection } from 'membrane-token'
import { defineCommand } from '../command.ts'
import { readBytes } from '../files.ts'
import { JSON_OPTIONS, toJson } from '../output.ts'
import { ExitCode, printable, type Terminal, UsageError } from '../terminal.ts'

export const command = defineCommand(
  {
    name: 'key',
    usage: ['FILE [options]', '- [options]'],
    description: `Shows what kind of key a file contains, in any format: its type, strength, algorithms, thumbprint and public
half. Never shows the private half. Exit code 1: the key has a problem.`,
    maxPositionals: 1,
    options: JSON_OPTIONS,
    examples: [
      { title: 'Inspect a file', command: 'membrane-token key key.pem' },
      {
        title: 'Extract the public key from a private key in a variable',
        command: `printenv MEMBRANE_PRIVATE_KEY | membrane-token key - --json | jq -r .publicKey`,
      },
    ],
  },
  async ({ options, positionals: [path] }, terminal) => {
    if (path === undefined && !terminal.hasPipedInput)
      throw new UsageError('Pass a file, or "-" and pipe the key.')
    const bytes = await readBytes(path ?? '-', terminal, 'the key')
    const inspection = await inspectKey(bytes)
    terminal.out(options.json ? toJson(inspection) : render(inspection, terminal))
    return inspection.problems.length === 0 ? ExitCode.Success : ExitCode.Failure
  },
)

function render(inspection: KeyInspection, { paint }: Terminal): string {
  const { format, half, type, curve, bits, algorithms, keyId, publicJwk, publicKey, problems } = inspection
  const kind = [type, curve, bits !== undefined && type === 'RSA' && `${bits} bits`].filter(Boolean).join(' ')
  const rows = [
    ['Format', format],
    ['Half', half],
    ['Type', kind],
    ['Algorithms', algorithms.join(' ')],
    ['Key id', keyId],
  ].filter(([, value]) => value)
  const sections = [
    rows.map(([name, value]) => `${paint('bold', `${name}`.padEnd(10))}  ${value}`).join('\n'),
  ]
  if (publicKey) sections.push(`${paint('bold', 'Public key')}\n${publicKey.trimEnd()}`)
  if (publicJwk) sections.push(`${paint('bold', 'JWK set')}\n${toJson({ keys: [publicJwk] })}`)
  if (problems.length > 0) {
    const lines = problems.map(({ code, message }) => `  ${paint('red', printable(message))} (${code})`)
    sections.push([paint('bold', 'Problems'), ...lines].join('\n'))
  }
  return sections.join('\n\n')
}
