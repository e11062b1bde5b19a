import {
  type Algorithm,
  type ClaimStyle,
  type Customer,
  createSigner,
  type SignedToken,
  type Signer,
  type TokenOptions,
} from 'membrane-token'
import { defineCommand } from '../command.ts'
import { ENVIRONMENT_OPTIONS, readEnvironment, readVariable } from '../environment.ts'
import {
  PRIVATE_KEY_OPTIONS,
  readSigningKey,
  readWorkspaceKey,
  SECRET_OPTIONS,
  WORKSPACE_OPTIONS,
} from '../key-material.ts'
import { JSON_OPTIONS, toJson } from '../output.ts'
import { ExitCode, UsageError } from '../terminal.ts'
import { checkSingleInput } from '../token-input.ts'

export const command = defineCommand(
  {
    name: 'sign',
    usage: ['--customer ID [options]', '--admin [options]'],
    description: `Signs a token and prints only the token, ready for a pipe or command substitution. The workspace key and
the secret or private key come from the options, or from the service's settings in the environment.`,
    maxPositionals: 0,
    options: {
      customer: { type: 'string', value: 'ID', description: 'Sign a token for this customer' },
      name: { type: 'string', value: 'NAME', description: "The customer's name" },
      field: {
        type: 'string',
        value: 'KEY=VALUE',
        multiple: true,
        description: 'A field of the customer, as text',
      },
      fields: { type: 'string', value: 'JSON', description: 'Fields of the customer, as a JSON object' },
      admin: { type: 'boolean', description: 'Sign an admin token' },
      'expires-in': {
        type: 'string',
        value: 'DURATION',
        description: 'Lifetime, such as 90s, 30m, 2h, 7d; default: TOKEN_EXPIRES_IN, or 2h',
      },
      'jwt-id': { type: 'string', value: 'ID', description: 'Sets jti' },
      algorithm: {
        type: 'string',
        value: 'NAME',
        description: 'Such as HS512 or ES256; default: MEMBRANE_ALGORITHM, or the default for the key',
      },
      'key-id': {
        type: 'string',
        value: 'ID',
        description: 'Sets kid; "thumbprint" uses the thumbprint of the key; default: MEMBRANE_KEY_ID',
      },
      'claim-style': {
        type: 'string',
        value: 'STYLE',
        description: 'issuer, workspaceKey or tenant; default: MEMBRANE_CLAIM_STYLE, or issuer',
      },
      ...WORKSPACE_OPTIONS,
      ...SECRET_OPTIONS,
      ...PRIVATE_KEY_OPTIONS,
      ...JSON_OPTIONS,
      ...ENVIRONMENT_OPTIONS,
    },
    examples: [
      {
        title: 'Call Membrane as a customer',
        command:
          'curl https://api.integration.app/self -H "Authorization: Bearer $(membrane-token sign --customer customer-42 --env-file .env)"',
      },
      {
        title: 'Sign with a private key; the token expires in ten minutes',
        command:
          'membrane-token sign --customer customer-42 --name "Acme Inc." --field plan=trial --private-key-file key.pem --workspace-key KEY --expires-in 10m',
      },
      { title: 'Sign an admin token', command: 'membrane-token sign --admin --env-file .env' },
    ],
  },
  async ({ options }, terminal) => {
    checkSingleInput(options['secret-file'], options['private-key-file'])
    const request = readRequest(options)
    const environment = await readEnvironment(options['env-file'], terminal)
    const setting = (name: string): string | undefined => readVariable(environment, name)
    // createSigner validates the algorithm and claim style; its messages list the valid values.
    const signer = await createSigner({
      workspaceKey: readWorkspaceKey(options, environment),
      ...(await readSigningKey(options, environment, terminal)),
      algorithm: (options.algorithm ?? setting('MEMBRANE_ALGORITHM')) as Algorithm | undefined,
      keyId: options['key-id'] ?? setting('MEMBRANE_KEY_ID'),
      claimStyle: (options['claim-style'] ?? setting('MEMBRANE_CLAIM_STYLE')) as ClaimStyle | undefined,
      expiresIn: options['expires-in'] ?? setting('TOKEN_EXPIRES_IN'),
      allowShortSecret: options['allow-short-secret'],
    })
    const signed = await sign(signer, request, { jwtId: options['jwt-id'] })
    terminal.out(options.json ? toJson(describe(signed)) : signed.token)
    return ExitCode.Success
  },
)

type Request = { readonly customer: Customer | undefined }

function sign(signer: Signer, { customer }: Request, options: TokenOptions): Promise<SignedToken> {
  return customer ? signer.signCustomerToken(customer, options) : signer.signAdminToken(options)
}

function describe({ token, issuedAt, expiresAt }: SignedToken): object {
  return { token, issuedAt, expiresAt, expiresIn: (expiresAt.getTime() - issuedAt.getTime()) / 1000 }
}

function readRequest(given: {
  customer: string | undefined
  name: string | undefined
  field: readonly string[]
  fields: string | undefined
  admin: boolean
}): Request {
  const { customer: id, name, admin } = given
  if (admin === (id !== undefined)) throw new UsageError('Pass either --customer ID or --admin.')
  const fields = readFields(given.field, given.fields)
  if (admin && (name !== undefined || fields))
    throw new UsageError('An admin token has no customer, so it takes no --name, --field or --fields.')
  if (id === undefined) return { customer: undefined }
  return { customer: { id, ...(name !== undefined && { name }), ...(fields && { fields }) } }
}

function readFields(pairs: readonly string[], json: string | undefined): Record<string, unknown> | undefined {
  if (pairs.length === 0 && json === undefined) return undefined
  const entries = [...(json === undefined ? [] : Object.entries(parseFields(json))), ...pairs.map(parseField)]
  const names = new Set(entries.map(([name]) => name))
  if (names.size !== entries.length) throw new UsageError('A field is given twice.')
  return Object.fromEntries(entries)
}

function parseFields(json: string): object {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Not JSON: reported below.
  }
  throw new UsageError(`--fields must be a JSON object, such as '{"plan":"trial","seats":5}'.`)
}

function parseField(pair: string): [string, unknown] {
  const at = pair.indexOf('=')
  if (at < 1) throw new UsageError('--field must be KEY=VALUE, such as plan=trial.')
  return [pair.slice(0, at), pair.slice(at + 1)]
}
