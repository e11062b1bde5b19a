import { invalidOption } from '../options.ts'

/** A credential, or a function that returns the current one. */
export type Supplied<Value> = Value | (() => Promise<Value>)

/** @throws `ERR_OPTION_INVALID` unless it is a non-empty string without line breaks */
export function checkText(value: unknown, option: string): asserts value is string {
  if (typeof value === 'string' && value !== '' && !/[\r\n]/.test(value)) return
  throw invalidOption(`${option} must be a non-empty string without line breaks.`, option)
}

/** @throws `ERR_OPTION_INVALID` unless it is a function, or a non-empty string without line breaks */
export function checkSupplied(value: unknown, option: string): void {
  if (typeof value !== 'function') checkText(value, option)
}

/** Resolves a credential to a string. @throws `ERR_OPTION_INVALID` */
export async function resolveText(supplied: Supplied<string>, option: string): Promise<string> {
  const value = typeof supplied === 'function' ? await supplied() : supplied
  checkText(value, option)
  return value
}

/**
 * Checks a URL, and removes trailing slashes.
 *
 * @throws `ERR_OPTION_INVALID` unless it is https, or http on localhost, without credentials, query and fragment
 */
export function checkAddress(address: unknown, option: string): string {
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined
  if (url && isSafe(url) && !url.username && !url.password && !url.search && !url.hash)
    return url.href.replace(/\/+$/, '')
  throw invalidOption(
    `${option} must be an https URL (http only on localhost), without user, password, query and fragment.`,
    option,
  )
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

/** Whether a host name refers to this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/** The URL of the host in a key URI. */
export function addressOf(authority: string): string {
  const hostname = authority.replace(/:\d+$/, '')
  return `${isLoopback(hostname) ? 'http' : 'https'}://${authority}`
}
