import { type OptionTable, type ParsedArguments, parseArguments } from './arguments.ts'
import { renderHelp } from './help.ts'
import { ExitCode, type Terminal } from './terminal.ts'

/** The static description of a command, from which its help and documentation are generated. */
export interface CommandSpecification<Options extends OptionTable = OptionTable> {
  readonly name: string
  /** What may follow the name, one line for each form. */
  readonly usage: readonly string[]
  readonly description: string
  /** Maximum number of arguments besides options. */
  readonly maxPositionals: number
  readonly options: Options
  readonly examples: readonly Example[]
}

export interface Example {
  readonly title: string
  readonly command: string
}

export interface Command {
  readonly specification: CommandSpecification
  execute(args: readonly string[], terminal: Terminal): Promise<ExitCode>
}

export type Run<Options extends OptionTable> = (
  given: ParsedArguments<Options>,
  terminal: Terminal,
) => Promise<ExitCode> | ExitCode

/** Creates a command from its specification, which defines argument parsing and `--help`. */
export function defineCommand<const Options extends OptionTable>(
  specification: CommandSpecification<Options>,
  run: Run<Options>,
): Command {
  return {
    specification,
    execute: async (args, terminal) => {
      const given = parseArguments(args, specification)
      if (given === 'help') {
        terminal.out(renderHelp(specification))
        return ExitCode.Success
      }
      return run(given, terminal)
    },
  }
}
