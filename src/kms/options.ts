import { invalidOption } from '../options.ts'

/** A credential, or a function that returns the current one. */
export type Supplied<Value> = Value | (() => Promise<Value>)

/** The value itself, or what the function resolves to. */
export async function supply<Value>(supplied: Supplied<Value>): Promise<Value> {
  return typeof supplied === 'function' ? await (supplied as () => Promise<Value>)() : supplied
}

/** @throws `ERR_OPTION_INVALID` unless it is a non-empty string without line breaks */
export function checkText(value: unknown, option: string): asserts value is string {
  if (typeof value === 'string' && value !== '' && !/[\r\n]/.test(value)) return
  throw invalidOption(`${option} must be a non-empty string without line breaks.`, option)
}

/** @throws `ERR_OPTION_INVALID` unless it is such a string, or a function */
export function checkSupplied(value: unknown, option: string): void {
  if (typeof value !== 'function') checkText(value, option)
}

/** The string that a credential is. @throws `ERR_OPTION_INVALID` */
export async function supplyText(supplied: Supplied<string>, option: string): Promise<string> {
  const value = await supply(supplied)
  checkText(value, option)
  return value
}

/**
 * An address without a slash at its end.
 *
 * @throws `ERR_OPTION_INVALID` unless it is https, or http on this machine, without credentials, query and fragment
 */
export function checkAddress(address: unknown, option: string): string {
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined
  if (url && isSafe(url) && !url.username && !url.password && !url.search && !url.hash)
    return url.href.replace(/\/+$/, '')
  throw invalidOption(
    `${option} must be an https address (http only on localhost), without user, password, query and fragment.`,
    option,
  )
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

/** Whether a host name is this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/** The address of a host in a URI. */
export function addressOf(authority: string): string {
  const hostname = authority.replace(/:\d+$/, '')
  return `${isLoopback(hostname) ? 'http' : 'https'}://${authority}`
}
