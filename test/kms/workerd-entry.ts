import { assert } from '../conformance/suite.ts'
import { runKmsSuite } from './run-suite.ts'

export default {
  async fetch(_request: Request, env: { KMS_SERVERS: string }): Promise<Response> {
    assert(navigator.userAgent === 'Cloudflare-Workers', 'this is not workerd')
    assert(!('process' in globalThis) && !('Buffer' in globalThis), 'Node compatibility is on')
    return Response.json(await runKmsSuite(JSON.parse(env.KMS_SERVERS), 'workerd', ''))
  },
}
