import { COMMON_OPTIONS, type OptionTable } from './arguments.ts'
import type { CommandSpecification } from './command.ts'
import { COMMANDS } from './commands.ts'
import { readVersion } from './version.ts'

/** The help for a command. */
export function renderHelp(specification: CommandSpecification): string {
  const { name, usage, description, options, examples } = specification
  const [first = '', ...others] = usage.map((line) => `membrane-token ${name} ${line}`.trimEnd())
  return [
    [`Usage: ${first}`, ...others.map((line) => `       ${line}`)].join('\n'),
    wrap(description.replace(/\s+/g, ' '), LINE_WIDTH).join('\n'),
    `Options:\n${table(describeOptions({ ...options, ...COMMON_OPTIONS }))}`,
    `Examples:\n${examples.map(({ title, command }) => `  ${title}:\n    ${command}`).join('\n')}`,
  ].join('\n\n')
}

/** The help for `membrane-token` itself. */
export function renderOverview(): string {
  return `Usage: membrane-token COMMAND [options]

Signs, verifies and inspects access tokens for Membrane, and runs the token service.

Commands:
${table(Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]))}

Options:
${table([
  ['--help, -h', 'Show this help; for a command, run "membrane-token COMMAND --help"'],
  ['--version, -V', 'Show the version'],
])}

Exit codes: 0 success, 1 failure or a negative result, 2 usage error. Results go to standard output, everything
else to standard error. Secrets are read from the environment, --env-file, files or standard input,
never from arguments.

The package is not published yet. Run the packed file:
  npx ./membrane-token-${readVersion()}.tgz inspect TOKEN`
}

function describeOptions(options: OptionTable): [string, string][] {
  return Object.entries(options).map(([name, { type, value, multiple, description }]) => [
    `--${name}${type === 'boolean' ? '' : ` ${value}`}${name === 'help' ? ', -h' : ''}`,
    multiple ? `${description}; repeatable` : description,
  ])
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  const indent = ' '.repeat(width + 4)
  return rows
    .map(([name, text]) => `  ${name.padEnd(width)}  ${wrap(text, LINE_WIDTH - width).join(`\n${indent}`)}`)
    .join('\n')
}

const LINE_WIDTH = 96

function wrap(text: string, width: number): readonly string[] {
  return text.match(new RegExp(`\\S(?:.{0,${width - 1}}(?=\\s|$))`, 'g')) ?? [text]
}
