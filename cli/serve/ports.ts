import { UsageError } from '../terminal.ts'

/** Reads a port number from an option. @throws UsageError if it is invalid */
export function readPort(text: string, option: string, highest = 65_535): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= highest) return port
  throw new UsageError(`${option} must be a number from 0 to ${highest}.`)
}

/** Explains why a port cannot be used, from the error codes and names of Node, Deno and Bun. */
export function describePortError(error: unknown, port: number): UsageError {
  const { code, name } = Object(error) as { code?: string; name?: string }
  const kind = `${code ?? ''} ${name ?? ''}`
  if (/EADDRINUSE|AddrInUse/.test(kind))
    return new UsageError(
      `Port ${port} is in use. Stop the process that uses it, or choose another port with --port.`,
    )
  if (/EACCES|PermissionDenied/.test(kind))
    return new UsageError(`Port ${port} requires privileges. Choose 1024 or higher with --port.`)
  return new UsageError(`Cannot listen on port ${port}: ${kind.trim()}.`)
}
