/** What a server knows of the connection that a request came by. */
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
  /** Takes no new connections, and resolves once the requests under way are answered. */
  close(): Promise<void>
  /** Ends at once. */
  kill(): void
}

// All times are in seconds.

/** In which a client must have sent the header of a request, so that slow ones do not hold connections. */
export const HEADERS_TIMEOUT = 10
/** In which it must have sent all of it. */
export const REQUEST_TIMEOUT = 30
/** Longer than the 60 seconds for which common load balancers keep idle connections, so that these close first. */
export const KEEP_ALIVE_TIMEOUT = 65
/** Bytes of a body that a server takes at all; the service itself rejects those over 16 KiB with 413. */
export const BODY_LIMIT = 1_048_576
