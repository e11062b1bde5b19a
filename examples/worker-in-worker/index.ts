import { createTokenServiceFromEnv } from 'membrane-token/service'

type Env = Record<string, unknown>

let service: ReturnType<typeof createTokenServiceFromEnv> | undefined

export default {
  async fetch(request: Request, env: Env, context: object): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return new Response('The app as it was')
    // Once for each isolate. Each setting has a prefix, since this app has variables of its own.
    service ??= createTokenServiceFromEnv(env, { prefix: 'TOKENS_' })
    return service(request, context)
  },
}
