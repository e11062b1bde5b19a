import type { RemoteKey } from '../keys/remote-key.ts'
import { invalidOption } from '../options.ts'

/** A KMS provider: opens a key by its URI, with credentials from the environment. */
export interface KmsProvider {
  /** Scheme of the URIs, such as `awskms`. */
  readonly scheme: string
  /** Names of the environment variables that it reads. */
  readonly variables: readonly string[]
  /**
   * @throws `ERR_OPTION_INVALID` with the `option` `uri` or the name of the variable at fault ·
   *   `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_UNAVAILABLE`
   */
  open(uri: string, env: Readonly<Record<string, unknown>>): Promise<RemoteKey>
}

/** Opens a key by options, or by URI as a {@link KmsProvider}. */
export type KeyOpener<Options> = ((options: Options) => Promise<RemoteKey>) & KmsProvider

/** Adds the provider's members to the function. Calls are marked pure, so that bundlers drop unused providers. */
export function asProvider<Options>(
  openKey: (options: Options) => Promise<RemoteKey>,
  provider: KmsProvider,
): KeyOpener<Options> {
  return Object.assign(openKey, provider)
}

/** The parts of a key URI. */
export interface KeyUri {
  /** Between `//` and the next slash; may be empty. */
  readonly authority: string
  /** After that slash. */
  readonly path: string
}

/**
 * Parses a key URI.
 *
 * @param form The expected form, for the message
 * @throws `ERR_OPTION_INVALID` for another scheme, and for credentials, a query or a fragment
 */
export function readKeyUri(uri: string, scheme: string, form: string): KeyUri {
  const match = /^([a-z]+):\/\/([^/]*)(?:\/(.*))?$/.exec(uri)
  if (match?.[1] !== scheme) throw invalidOption(`The key must be a URI of the form ${form}.`, 'uri')
  if (/[?#@%\s\\]/.test(uri)) {
    throw invalidOption(
      `A key URI must not contain credentials, a query, a fragment or escapes; use the form ${form}, and set credentials in the environment.`,
      'uri',
    )
  }
  return { authority: match[2] ?? '', path: match[3] ?? '' }
}

/** Reads a variable or a Secrets Store binding. An empty string counts as absent. @throws `ERR_OPTION_INVALID` */
export async function readVariable(
  env: Readonly<Record<string, unknown>>,
  name: string,
): Promise<string | undefined> {
  const value = env[name]
  const text: unknown = hasGet(value) ? await value.get() : value
  if (text === undefined || text === null || text === '') return undefined
  if (typeof text !== 'string') throw invalidOption(`${name} must be a string.`, name)
  return text
}

function hasGet(value: unknown): value is { get(): unknown } {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function'
}

/** @throws `ERR_OPTION_INVALID` with the name of the variable, if it is missing */
export async function requireVariable(env: Readonly<Record<string, unknown>>, name: string): Promise<string> {
  const value = await readVariable(env, name)
  if (value === undefined) throw invalidOption(`Set ${name}: the key cannot be used without it.`, name)
  return value
}
