import { createSigner, type SignerOptions, type VerifierOptions } from 'membrane-token'
import type { OptionTable } from './arguments.ts'
import { type Environment, readVariable } from './environment.ts'
import { readBytes, readText, withoutLastLineBreak } from './files.ts'
import { type Terminal, UsageError } from './terminal.ts'

export const WORKSPACE_OPTIONS = {
  'workspace-key': {
    type: 'string',
    value: 'KEY',
    description: 'Workspace key; default: MEMBRANE_WORKSPACE_KEY',
  },
} as const satisfies OptionTable

export const SECRET_OPTIONS = {
  'secret-file': {
    type: 'string',
    value: 'FILE',
    description:
      'Workspace secret; a final line break is ignored; "-": standard input; default: MEMBRANE_WORKSPACE_SECRET',
  },
  'allow-short-secret': {
    type: 'boolean',
    description: 'Accept a secret under 32 bytes',
  },
} as const satisfies OptionTable

export const PRIVATE_KEY_OPTIONS = {
  'private-key-file': {
    type: 'string',
    value: 'FILE',
    description: 'Private key: PEM, DER or JWK; "-": standard input; default: MEMBRANE_PRIVATE_KEY',
  },
} as const satisfies OptionTable

export const VERIFICATION_OPTIONS = {
  ...WORKSPACE_OPTIONS,
  ...SECRET_OPTIONS,
  'public-key-file': {
    type: 'string',
    value: 'FILE',
    description: 'Public key or certificate: PEM, DER or JWK',
  },
  jwks: {
    type: 'string',
    value: 'URL|FILE',
    description: 'JWK set, as a URL or a file',
  },
} as const satisfies OptionTable

type Given<Name extends string> = { readonly [N in Name]: string | undefined }

/** @throws UsageError if it is missing */
export function readWorkspaceKey(given: Given<'workspace-key'>, environment: Environment): string {
  const workspaceKey = given['workspace-key'] ?? readVariable(environment, 'MEMBRANE_WORKSPACE_KEY')
  if (workspaceKey !== undefined) return workspaceKey
  throw new UsageError('The workspace key is missing: set MEMBRANE_WORKSPACE_KEY or pass --workspace-key.')
}

/** The secret or private key to sign with. @throws UsageError unless there is exactly one */
export async function readSigningKey(
  given: Given<'secret-file' | 'private-key-file'>,
  environment: Environment,
  terminal: Terminal,
): Promise<Pick<SignerOptions, 'secret' | 'privateKey'>> {
  const { 'secret-file': secretFile, 'private-key-file': privateKeyFile } = given
  if (secretFile !== undefined && privateKeyFile !== undefined)
    throw new UsageError('Pass either --secret-file or --private-key-file.')
  if (secretFile !== undefined) return { secret: await readSecret(secretFile, terminal) }
  if (privateKeyFile !== undefined)
    return {
      privateKey: await readBytes(privateKeyFile, terminal, 'the private key'),
    }
  const secret = readVariable(environment, 'MEMBRANE_WORKSPACE_SECRET')
  const privateKey = readVariable(environment, 'MEMBRANE_PRIVATE_KEY')
  if (secret !== undefined && privateKey !== undefined) {
    throw new UsageError(
      'MEMBRANE_WORKSPACE_SECRET and MEMBRANE_PRIVATE_KEY are both set; set one, or pass --secret-file or --private-key-file.',
    )
  }
  if (secret !== undefined) return { secret }
  if (privateKey !== undefined) return { privateKey: await openPrivateKey(privateKey, environment) }
  throw new UsageError(
    'The key is missing: set MEMBRANE_WORKSPACE_SECRET or MEMBRANE_PRIVATE_KEY, or pass --secret-file or --private-key-file.',
  )
}

async function readSecret(path: string, terminal: Terminal): Promise<string> {
  return withoutLastLineBreak(await readText(path, terminal, 'the secret'))
}

export type VerificationKey = Pick<VerifierOptions, 'secret' | 'publicKey' | 'jwks'>

/** The key to verify with, from the options or the environment; undefined if there is none. @throws UsageError */
export async function findVerificationKey(
  given: Given<'secret-file' | 'public-key-file' | 'jwks'>,
  environment: Environment,
  terminal: Terminal,
): Promise<VerificationKey | undefined> {
  const { 'secret-file': secretFile, 'public-key-file': publicKeyFile, jwks } = given
  if ([secretFile, publicKeyFile, jwks].filter((option) => option !== undefined).length > 1)
    throw new UsageError('Pass one of --secret-file, --public-key-file and --jwks.')
  if (secretFile !== undefined) return { secret: await readSecret(secretFile, terminal) }
  if (publicKeyFile !== undefined)
    return {
      publicKey: await readBytes(publicKeyFile, terminal, 'the public key'),
    }
  if (jwks !== undefined) return { jwks: await readKeySet(jwks, terminal) }
  const secret = readVariable(environment, 'MEMBRANE_WORKSPACE_SECRET')
  if (secret !== undefined) return { secret }
  const privateKey = readVariable(environment, 'MEMBRANE_PRIVATE_KEY')
  return privateKey === undefined ? undefined : { publicKey: await readPublicHalf(privateKey, environment) }
}

async function readKeySet(
  address: string,
  terminal: Terminal,
): Promise<NonNullable<VerifierOptions['jwks']>> {
  if (/^https?:/.test(address)) return new URL(address)
  const text = await readText(address, terminal, 'the JWK set')
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${address} is not a JWK set in JSON.`)
  }
}

/** The private key as text, or the remote key that a KMS URI names. */
async function openPrivateKey(
  key: string,
  environment: Environment,
): Promise<NonNullable<SignerOptions['privateKey']>> {
  if (!/^[a-z][a-z0-9+.-]*:\/\//.test(key)) return key
  // Loaded on demand, because most keys are text.
  const { openKey } = await import('./kms.ts')
  return openKey(key, environment)
}

async function readPublicHalf(
  key: string,
  environment: Environment,
): Promise<NonNullable<VerifierOptions['publicKey']>> {
  const privateKey = await openPrivateKey(key, environment)
  const { publicJwk } = await createSigner({ workspaceKey: 'any', privateKey })
  if (publicJwk === undefined) throw new UsageError('The public half of MEMBRANE_PRIVATE_KEY cannot be read.')
  // Without `alg`, because the token may be signed with any algorithm of an RSA key.
  const { alg: _, ...members } = publicJwk
  return members
}
