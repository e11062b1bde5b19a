import { createVerifier, type Inspection, inspectToken, type VerifiedToken } from 'membrane-token'
import { defineCommand } from '../command.ts'
import { describeDate } from '../dates.ts'
import { ENVIRONMENT_OPTIONS, type Environment, readEnvironment, readVariable } from '../environment.ts'
import { findVerificationKey, VERIFICATION_OPTIONS } from '../key-material.ts'
import { JSON_OPTIONS, toJson, toLine } from '../output.ts'
import { ExitCode, printable, type Terminal } from '../terminal.ts'
import { checkSingleInput, readToken } from '../token-input.ts'

/** The result of verification. `valid` is null if the key cannot be used; undefined: there is no key. */
type Verification =
  | { readonly valid: true; readonly keyId?: string }
  | { readonly valid: false | null; readonly code: string; readonly message: string }
  | undefined

export const command = defineCommand(
  {
    name: 'inspect',
    usage: ['[TOKEN | -] [options]'],
    description: `Shows a token's header, claims and problems, with a fix for each problem. It needs no key. If you also give
it the workspace key and a secret, public key or JWK set, it verifies the signature. Exit code 1: the
token has an error or is not valid.`,
    maxPositionals: 1,
    options: { ...JSON_OPTIONS, ...VERIFICATION_OPTIONS, ...ENVIRONMENT_OPTIONS },
    examples: [
      { title: 'Inspect the token on the clipboard', command: 'pbpaste | membrane-token inspect' },
      {
        title: "Verify it with your service's published keys",
        command:
          'membrane-token inspect --workspace-key KEY --jwks https://token.example.com/.well-known/jwks.json < token.txt',
      },
      { title: 'Extract one claim', command: 'membrane-token inspect --json < token.txt | jq -r .claims.id' },
    ],
  },
  async ({ options, positionals: [given] }, terminal) => {
    checkSingleInput(given ?? '-', options['secret-file'])
    const token = await readToken(given, terminal)
    const environment = await readEnvironment(options['env-file'], terminal)
    const inspection = inspectToken(token)
    const workspaceKey = options['workspace-key'] ?? readVariable(environment, 'MEMBRANE_WORKSPACE_KEY')
    const verification =
      workspaceKey === undefined
        ? undefined
        : await verify(token, workspaceKey, options, environment, terminal)
    terminal.out(
      options.json ? toJson(describe(inspection, verification)) : render(inspection, verification, terminal),
    )
    const hasError = inspection.problems.some(({ severity }) => severity === 'error')
    const isVerified = verification?.valid ?? verification === undefined
    return hasError || !isVerified ? ExitCode.Failure : ExitCode.Success
  },
)

async function verify(
  token: string,
  workspaceKey: string,
  options: Parameters<typeof findVerificationKey>[0] & { readonly 'allow-short-secret': boolean },
  environment: Environment,
  terminal: Terminal,
): Promise<Verification> {
  try {
    const key = await findVerificationKey(options, environment, terminal)
    if (!key) return undefined
    const allowShortSecret = options['allow-short-secret']
    const verifier = await createVerifier({ workspaceKey, ...key, allowShortSecret })
    const { keyId } = (await verifier.verify(token)) satisfies VerifiedToken
    return { valid: true, ...(keyId !== undefined && { keyId }) }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code === undefined) throw error
    // An unusable key says nothing about the token.
    return { valid: code.startsWith('ERR_TOKEN_') ? false : null, code, message }
  }
}

function describe(inspection: Inspection, verification: Verification): object {
  const { kind, claimStyle, header, claims, problems } = inspection
  const dates = { issuedAt: toDate(claims?.iat), expiresAt: toDate(claims?.exp) }
  return { kind, claimStyle, header, claims, ...dates, verification, problems }
}

function toDate(seconds: unknown): string | undefined {
  const isDate = typeof seconds === 'number' && Math.abs(seconds) < 8.64e12
  return isDate ? new Date(seconds * 1000).toISOString() : undefined
}

const KINDS = { customer: 'Customer token', admin: 'Admin token', unknown: 'Not a usable Membrane token' }

function render(inspection: Inspection, verification: Verification, terminal: Terminal): string {
  const { kind, claimStyle, header, claims, problems } = inspection
  const { paint } = terminal
  const title = `${KINDS[kind]}${claimStyle ? ` (claim style "${claimStyle}")` : ''}`
  const sections = [paint('bold', title)]
  if (header) sections.push(section('Header', members(header), terminal))
  if (claims) sections.push(section('Claims', members(claims), terminal))
  sections.push(section('Verification', [renderVerification(verification, terminal)], terminal))
  const lines = problems.flatMap(({ code, severity, message, fix }) => [
    `${paint(severity === 'error' ? 'red' : 'yellow', severity)}  ${printable(message)} (${code})`,
    `  Fix: ${fix}`,
  ])
  sections.push(section('Problems', lines.length > 0 ? lines : ['none found'], terminal))
  return sections.join('\n\n')
}

function section(title: string, lines: readonly string[], { paint }: Terminal): string {
  return [paint('bold', title), ...lines.map((line) => `  ${line}`)].join('\n')
}

const DATES = ['iat', 'nbf', 'exp']

function members(object: Readonly<Record<string, unknown>>): string[] {
  const entries = Object.entries(object)
  const width = Math.max(0, ...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => {
    const date = DATES.includes(name) ? describeDate(value, Date.now()) : undefined
    return `${printable(name).padEnd(width)}  ${toLine(value)}${date ? `  ${date}` : ''}`
  })
}

function renderVerification(verification: Verification, { paint }: Terminal): string {
  if (!verification) {
    return 'none: pass --workspace-key with --secret-file, --public-key-file or --jwks, or set the variables'
  }
  if (verification.valid) {
    const { keyId } = verification
    return paint('green', `valid${keyId === undefined ? '' : `, key ${printable(keyId)}`}`)
  }
  const { valid, code, message } = verification
  const reason = `${printable(message)} (${code})`
  return valid === null ? paint('yellow', `not possible: ${reason}`) : paint('red', `not valid: ${reason}`)
}
