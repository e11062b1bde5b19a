/**
 * What a runtime passes to a request handler besides the request: an `ExecutionContext` on Workers, `ServeHandlerInfo`
 * on Deno, the server on Bun, the route's context on Next.js. Only these members are read; others are ignored.
 */
export interface RequestContext {
  /** Keeps work alive after the request that started it ends or is cancelled (Workers, Next.js `after`). */
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined
  /** The client's IP address, if the runtime or a trusted proxy provides it. */
  readonly clientAddress?: string | undefined
}

/** Reads the supported members of a runtime's context. */
export function readContext(context: object | undefined): RequestContext {
  if (typeof context !== 'object' || context === null) return {}
  const { waitUntil, clientAddress } = context as { waitUntil?: unknown; clientAddress?: unknown }
  return {
    // Methods of an ExecutionContext throw when called with another `this`.
    ...(typeof waitUntil === 'function' && {
      waitUntil: (promise: Promise<unknown>) => void waitUntil.call(context, promise),
    }),
    ...(typeof clientAddress === 'string' && clientAddress !== '' && { clientAddress }),
  }
}
