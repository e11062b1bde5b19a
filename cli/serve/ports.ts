import { UsageError } from '../terminal.ts'

/** @throws UsageError */
export function readPort(text: string, option: string, highest = 65_535): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= highest) return port
  throw new UsageError(`${option} must be a number from 0 to ${highest}.`)
}

/** Says in plain words why a port cannot be listened on. Codes and names are those of Node, Deno and Bun. */
export function describePortError(error: unknown, port: number): UsageError {
  const { code, name } = Object(error) as { code?: string; name?: string }
  const kind = `${code ?? ''} ${name ?? ''}`
  if (/EADDRINUSE|AddrInUse/.test(kind))
    return new UsageError(`Port ${port} is in use. Stop what uses it, or choose another with --port.`)
  if (/EACCES|PermissionDenied/.test(kind))
    return new UsageError(`Port ${port} needs privileges. Choose one from 1024 on with --port.`)
  return new UsageError(`Cannot listen on port ${port}: ${kind.trim()}.`)
}
