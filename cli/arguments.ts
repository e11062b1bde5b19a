import { parseArgs } from 'node:util'
import { closestName } from './closest-name.ts'
import type { CommandSpecification } from './command.ts'
import { UsageError } from './terminal.ts'

/** An option of a command. */
export interface Option {
  readonly type: 'string' | 'boolean'
  /** Placeholder for the value in the help, such as `FILE`. */
  readonly value?: string
  /** Whether it may be given several times. */
  readonly multiple?: boolean
  readonly description: string
}

export type OptionTable = Readonly<Record<string, Option>>

type ValueOf<O extends Option> = O extends { type: 'boolean' }
  ? boolean
  : O extends { multiple: true }
    ? readonly string[]
    : string | undefined

export interface ParsedArguments<Options extends OptionTable> {
  readonly options: { readonly [Name in keyof Options]: ValueOf<Options[Name]> }
  readonly positionals: readonly string[]
}

/** Options that every command has. */
export const COMMON_OPTIONS = {
  help: { type: 'boolean', description: 'Show this help' },
} as const satisfies OptionTable

/** Parses the arguments of a command. @throws UsageError; for an unknown option, it suggests the closest name */
export function parseArguments<Options extends OptionTable>(
  args: readonly string[],
  { options, maxPositionals }: CommandSpecification<Options>,
): ParsedArguments<Options> | 'help' {
  const known: OptionTable = { ...options, ...COMMON_OPTIONS }
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(Object.entries(known).map(([name, { type }]) => [name, { type }])),
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const values = new Map<string, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(rejectKeyMaterial(token.value))
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    if (name === 'help') return 'help'
    const option = findOption(name, rawName, known)
    checkValue(rawName, option, value, inlineValue)
    const given = values.get(name) ?? []
    if (given.length > 0 && !option.multiple) throw new UsageError(`${rawName} is given twice.`)
    values.set(name, [...given, value ?? ''])
  }
  if (positionals.length > maxPositionals) {
    throw new UsageError(
      maxPositionals === 0
        ? 'This command takes no arguments, only options.'
        : `Expected at most ${maxPositionals} argument, got ${positionals.length}; quote arguments that contain spaces.`,
    )
  }
  const read = Object.entries(options).map(([name, { type, multiple }]) => {
    const given = values.get(name)
    if (type === 'boolean') return [name, given !== undefined]
    return [name, multiple ? (given ?? []) : given?.[0]]
  })
  return { options: Object.fromEntries(read), positionals }
}

function findOption(name: string, rawName: string, known: OptionTable): Option {
  const option = Object.hasOwn(known, name) ? known[name] : undefined
  if (option) return option
  if (
    /^(workspace-?|client-?|membrane-?)?(secret|private-?key|password|passphrase|api-?key|token)$/i.test(name)
  ) {
    throw new UsageError(`${rawName} is not an option. ${NO_SECRETS} ${alternatives(known)}`)
  }
  const meant = closestName(name, Object.keys(known))
  const shown = /^[\w-]{1,32}$/.test(rawName) ? ` ${rawName}` : ''
  throw new UsageError(
    `Unknown option${shown}; ${
      meant
        ? `did you mean --${meant}?`
        : `options: ${Object.keys(known)
            .map((known) => `--${known}`)
            .join(', ')}.`
    }`,
  )
}

const NO_SECRETS =
  'Secrets are not taken as arguments: other users see them in the process list, and the shell keeps them in its history.'

function alternatives(known: OptionTable): string {
  const files = Object.keys(known).filter((name) => name.endsWith('-file'))
  const sources = [
    ...('env-file' in known ? ['an environment variable'] : []),
    ...files.map((name) => `--${name}`),
  ]
  return `Use ${[...sources, 'standard input'].join(' or ')}.`
}

function checkValue(
  rawName: string,
  { type, value: valueName }: Option,
  value: string | undefined,
  inlineValue: boolean | undefined,
): void {
  if (type === 'boolean' && value !== undefined) throw new UsageError(`${rawName} takes no value.`)
  if (type === 'boolean') return
  if (value === undefined) throw new UsageError(`${rawName} needs a value: ${rawName} ${valueName}`)
  rejectKeyMaterial(value)
  if (!inlineValue && /^-./.test(value)) {
    throw new UsageError(`${rawName} needs a value; if it begins with "-", write ${rawName}=${valueName}.`)
  }
}

/** PEM, API keys, and private or symmetric JWKs, which must not be on a command line. */
const KEY_MATERIAL = /-----BEGIN|^mtk_|"(d|k)"\s*:\s*"/

function rejectKeyMaterial(value: string): string {
  if (KEY_MATERIAL.test(value))
    throw new UsageError(`An argument looks like a key. ${NO_SECRETS} Pass a file, or "-" and pipe it.`)
  return value
}
