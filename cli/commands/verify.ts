import { createVerifier, type VerifiedToken } from 'membrane-token'
import { defineCommand } from '../command.ts'
import { describeDate } from '../dates.ts'
import { ENVIRONMENT_OPTIONS, readEnvironment } from '../environment.ts'
import { findVerificationKey, readWorkspaceKey, VERIFICATION_OPTIONS } from '../key-material.ts'
import { JSON_OPTIONS, toJson, toLine } from '../output.ts'
import { ExitCode, printable, UsageError } from '../terminal.ts'
import { checkSingleInput, readToken } from '../token-input.ts'

export const command = defineCommand(
  {
    name: 'verify',
    usage: ['[TOKEN | -] [options]'],
    description: `Verifies a token's signature, dates and workspace, for scripts. Exit code 0: the token is valid. Exit
code 1: it is not; the reason is printed to standard error, or with --json to standard output.`,
    maxPositionals: 1,
    options: {
      ...JSON_OPTIONS,
      ...VERIFICATION_OPTIONS,
      'clock-tolerance': {
        type: 'string',
        value: 'SECONDS',
        description: 'Tolerated clock difference; default: 0, as Membrane does',
      },
      ...ENVIRONMENT_OPTIONS,
    },
    examples: [
      {
        title: 'Verify with the secret in the environment',
        command: 'membrane-token verify < token.txt && echo valid',
      },
      {
        title: 'Verify with a public key',
        command: 'membrane-token verify --workspace-key KEY --public-key-file public.pem < token.txt',
      },
      { title: 'Extract the customer id', command: 'membrane-token verify --json < token.txt | jq -r .id' },
    ],
  },
  async ({ options, positionals: [given] }, terminal) => {
    checkSingleInput(given ?? '-', options['secret-file'])
    const environment = await readEnvironment(options['env-file'], terminal)
    const workspaceKey = readWorkspaceKey(options, environment)
    const key = await findVerificationKey(options, environment, terminal)
    if (!key) {
      throw new UsageError(
        'The key is missing: set MEMBRANE_WORKSPACE_SECRET, or pass --secret-file, --public-key-file or --jwks.',
      )
    }
    const verifier = await createVerifier({
      workspaceKey,
      ...key,
      allowShortSecret: options['allow-short-secret'],
      clockTolerance: readTolerance(options['clock-tolerance']),
    })
    const token = await readToken(given, terminal)
    try {
      const verified = await verifier.verify(token)
      terminal.out(options.json ? toJson({ valid: true, ...verified }) : render(verified))
      return ExitCode.Success
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      if (!options.json || code === undefined) throw error
      terminal.out(toJson({ valid: false, code, message }))
      return ExitCode.Failure
    }
  },
)

function readTolerance(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new UsageError('--clock-tolerance must be a whole number of seconds.')
}

function render(verified: VerifiedToken): string {
  const subject = verified.kind === 'admin' ? 'admin token' : `token of customer ${toLine(verified.id)}`
  const end = describeDate(verified.expiresAt.getTime() / 1000, Date.now())
  return `Valid ${subject} of workspace ${printable(verified.workspaceKey)}, expires ${end}`
}
