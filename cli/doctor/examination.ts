import type { HttpAnswer, NoAnswer } from '../http.ts'
import { routeOf, send } from '../http.ts'

/** What is examined, and with what. */
export interface Examination {
  readonly service: URL
  readonly origin: string | undefined
  readonly workersDev: URL | undefined
  readonly workspaceKey: string | undefined
  readonly customer: string | undefined
  /** API key or session to request a token with. */
  readonly credential: string | undefined
  /** Headers that let a request through in front of the service, such as those of a service token of Access. */
  readonly passHeaders: Readonly<Record<string, string>>
}

/** Sends a request to one of the service's routes. */
export function ask(
  { service, passHeaders }: Examination,
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<HttpAnswer | NoAnswer> {
  return send(routeOf(service, path), { ...init, headers: { ...passHeaders, ...init.headers } })
}
