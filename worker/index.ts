import { createTokenServiceFromEnv } from 'membrane-token/service'
import { createKeySetCache } from './key-set-cache.ts'

type Env = Readonly<Record<string, unknown>>

const services = new WeakMap<Env, ReturnType<typeof createTokenServiceFromEnv>>()

/** Creates the service once per isolate; settings are read on the first request. */
function serviceOf(env: Env): ReturnType<typeof createTokenServiceFromEnv> {
  let service = services.get(env)
  if (!service) {
    service = createTokenServiceFromEnv(env, { keySetCache: createKeySetCache() })
    services.set(env, service)
  }
  return service
}

export default {
  async fetch(request: Request, env: Env, context: object): Promise<Response> {
    const response = await serviceOf(env)(request, context)
    // The Worker owns its whole hostname; subdomains may belong to others.
    response.headers.set('Strict-Transport-Security', 'max-age=31536000')
    return response
  },
}
