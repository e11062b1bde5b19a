/** The connection of a request. */
export interface Connection {
  /** Address of the other end, which is that of a proxy where there is one. */
  readonly peer: string | undefined
}

export type FetchHandler = (request: Request, connection: Connection) => Promise<Response>

export interface ListenOptions {
  readonly host: string
  readonly port: number
}

/** A server that listens. */
export interface Listener {
  readonly port: number
  /** Stops accepting connections, and resolves once the requests in progress are answered. */
  close(): Promise<void>
  /** Stops immediately. */
  kill(): void
}

// All times are in seconds.

/** Time limit for the header of a request, so that slow clients do not hold connections. */
export const HEADERS_TIMEOUT = 10
/** Time limit for the whole request. */
export const REQUEST_TIMEOUT = 30
/** Longer than the 60 seconds for which common load balancers keep idle connections, so that these close first. */
export const KEEP_ALIVE_TIMEOUT = 65
/** Bytes after which the server stops reading a body; the service itself rejects bodies over 16 KiB with 413. */
export const BODY_LIMIT = 1_048_576
