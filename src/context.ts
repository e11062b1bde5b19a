/**
 * What a runtime hands to a request handler beside the request: an `ExecutionContext` on Workers, `ServeHandlerInfo` on
 * Deno, the server on Bun, the route's context on Next.js. Only these members are read; others are ignored.
 */
export interface RequestContext {
  /** Keeps work alive when the request that started it ends or is cancelled (Workers, Next.js `after`). */
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined
  /** Address of the client, where the runtime or a trusted proxy tells it. */
  readonly clientAddress?: string | undefined
}

/** Reads the members that matter from whatever a runtime passes. */
export function readContext(context: object | undefined): RequestContext {
  if (typeof context !== 'object' || context === null) return {}
  const { waitUntil, clientAddress } = context as { waitUntil?: unknown; clientAddress?: unknown }
  return {
    // An ExecutionContext refuses to be called without its own `this`.
    ...(typeof waitUntil === 'function' && {
      waitUntil: (promise: Promise<unknown>) => void waitUntil.call(context, promise),
    }),
    ...(typeof clientAddress === 'string' && clientAddress !== '' && { clientAddress }),
  }
}
