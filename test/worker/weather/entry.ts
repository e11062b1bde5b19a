import { createTokenEndpoint, type RequestHandler, sessionJwt } from '../../../src/endpoint.ts'
import { createSigner, type Signer } from '../../../src/index.ts'

/**
 * A token endpoint at `/<scenario>/token`. Each scenario has a new authenticator, without cached keys, and a clock that
 * `/<scenario>/wait?milliseconds=…` moves forward. Scenarios named `…-bare` get no `ExecutionContext`, so no
 * `waitUntil`. Scenarios named `discovered…` find the key set in the issuer's metadata.
 */

interface Env {
  ISSUER: string
  SECRET: string
}

interface Scenario {
  offset: number
  handle: RequestHandler
}

let signer: Signer | undefined
const scenarios = new Map<string, Scenario>()

function createScenario(name: string, env: Env, signer: Signer): Scenario {
  const now = () => Date.now() + scenario.offset
  const jwks = name.startsWith('discovered') ? undefined : new URL(`${env.ISSUER}/jwks.json`)
  const authenticate = sessionJwt({ issuer: env.ISSUER, anyAudience: true, jwks, now })
  const scenario: Scenario = { offset: 0, handle: createTokenEndpoint({ signer, authenticate, now }) }
  return scenario
}

export default {
  async fetch(request: Request, env: Env, context: object): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const [, name = '', action] = pathname.split('/')
    signer ??= await createSigner({ workspaceKey: 'workspace', secret: env.SECRET })
    const scenario = scenarios.get(name) ?? createScenario(name, env, signer)
    scenarios.set(name, scenario)
    if (action === 'wait') {
      scenario.offset += Number(searchParams.get('milliseconds'))
      return new Response()
    }
    return scenario.handle(request, name.endsWith('-bare') ? undefined : context)
  },
}
