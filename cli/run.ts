import { closestName } from './closest-name.ts'
import { COMMANDS, type CommandName } from './commands.ts'
import { renderOverview } from './help.ts'
import { ExitCode, type Terminal, UsageError } from './terminal.ts'
import { readVersion } from './version.ts'

/** Runs the command that the arguments name, and returns the exit code. Never rejects. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first, ...rest] = args
  let name: CommandName | undefined
  try {
    if (first === undefined) throw new UsageError(renderOverview())
    if (first === '--version' || first === '-V') return print(terminal, readVersion())
    if (first === '--help' || first === '-h') return print(terminal, renderOverview())
    if (first === 'help') return await runCommandLine([...rest.slice(0, 1), '--help'], terminal)
    name = findCommand(first)
    const { command } = await COMMANDS[name].load()
    return await command.execute(rest, terminal)
  } catch (error) {
    return reportError(error, name, terminal)
  }
}

function print(terminal: Terminal, text: string): ExitCode {
  terminal.out(text)
  return ExitCode.Success
}

function findCommand(name: string): CommandName {
  if (Object.hasOwn(COMMANDS, name)) return name as CommandName
  if (/^(Bearer )?ey[\w-]+\./.test(name))
    throw new UsageError('To inspect a token, run: membrane-token inspect TOKEN')
  const names = Object.keys(COMMANDS)
  const meant = closestName(name, names)
  // Long names are not shown, because they may be misplaced secrets.
  const shown = /^[\w-]{1,24}$/.test(name) ? ` "${name}"` : ''
  throw new UsageError(
    `Unknown command${shown}${meant ? `; did you mean "${meant}"?` : `. Commands: ${names.join(', ')}.`}`,
  )
}

/** Error codes of a negative result or an unreachable service, in contrast to usage errors. */
const NEGATIVE_RESULTS =
  /^ERR_(TOKEN_(?!TOO_LARGE)|KEY_NOT_FOUND|KEY_UNAVAILABLE|JWKS_UNAVAILABLE|REFUSED|UNREACHABLE)/

function reportError(error: unknown, name: CommandName | undefined, terminal: Terminal): ExitCode {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  const prefix = `membrane-token${name ? ` ${name}` : ''}`
  if (error instanceof UsageError) {
    terminal.note(
      error.message.startsWith('Usage:')
        ? error.message
        : `${prefix}: ${error.message}\nSee: ${prefix} --help`,
    )
    return ExitCode.Usage
  }
  if (typeof code === 'string' && code.startsWith('ERR_') && typeof message === 'string') {
    terminal.note(`${prefix}: ${message} (${code})`)
    return NEGATIVE_RESULTS.test(code) ? ExitCode.Failure : ExitCode.Usage
  }
  // An unexpected error's message may quote key material, so only its name and code are shown.
  const { name: kind } = Object(error) as { name?: unknown }
  terminal.note(`${prefix}: unexpected ${String(kind)}${typeof code === 'string' ? ` (${code})` : ''}`)
  return ExitCode.Usage
}
