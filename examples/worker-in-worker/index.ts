import { createTokenServiceFromEnv } from 'membrane-token/service'

type Env = Record<string, unknown>

let service: ReturnType<typeof createTokenServiceFromEnv> | undefined

export default {
  async fetch(request: Request, env: Env, context: object): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return new Response('Your app')
    // Once per isolate. Settings have a prefix, because this app has other variables too.
    service ??= createTokenServiceFromEnv(env, { prefix: 'TOKENS_' })
    return service(request, context)
  },
}
