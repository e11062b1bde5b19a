import type { Connection, FetchHandler, Listener, ListenOptions } from './listener.ts'

export type { Connection, FetchHandler, Listener, ListenOptions }

/** Serves a handler with the runtime's own server. Rejects with the runtime's error if it cannot listen. */
export async function listen(handler: FetchHandler, options: ListenOptions): Promise<Listener> {
  if ('Deno' in globalThis) return (await import('./deno.ts')).listen(handler, options)
  if ('Bun' in globalThis) return (await import('./bun.ts')).listen(handler, options)
  return (await import('./node.ts')).listen(handler, options)
}
