/** The connection of a request. */
export interface Connection {
  /** Address of the peer: the client, or a proxy in front of the server. */
  readonly peer: string | undefined
}

export type FetchHandler = (request: Request, connection: Connection) => Promise<Response>

export interface ListenOptions {
  readonly host: string
  readonly port: number
}

/** A listening server. */
export interface Listener {
  readonly port: number
  /** Stops accepting connections, and resolves when the requests in progress are finished. */
  close(): Promise<void>
  /** Stops immediately. */
  kill(): void
}

// All times are in seconds.

/** Time limit for the headers of a request, so that slow clients do not occupy connections. */
export const HEADERS_TIMEOUT = 10
/** Time limit for the whole request. */
export const REQUEST_TIMEOUT = 30
/** Longer than the 60 seconds of AWS load balancers and nginx, so that they close idle connections first. */
export const KEEP_ALIVE_TIMEOUT = 65
/** Bytes after which the server stops reading a body; the service itself rejects bodies over 16 KiB with 413. */
export const BODY_LIMIT = 1_048_576
