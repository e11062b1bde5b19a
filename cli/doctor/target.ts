import type { HttpFailure, HttpResponse } from '../http.ts'
import { routeOf, send } from '../http.ts'

/** The service to check, and what to check it with. */
export interface Target {
  readonly service: URL
  readonly origin: string | undefined
  readonly workersDev: URL | undefined
  readonly workspaceKey: string | undefined
  readonly customer: string | undefined
  /** API key or session to request a token with. */
  readonly credential: string | undefined
  /** Headers of a Cloudflare Access service token; empty if there is none. */
  readonly accessHeaders: Readonly<Record<string, string>>
}

/** Sends a request to a route of the service. */
export function request(
  { service, accessHeaders }: Target,
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<HttpResponse | HttpFailure> {
  return send(routeOf(service, path), { ...init, headers: { ...accessHeaders, ...init.headers } })
}
