import * as lib from '../../src/index.ts'
import { modules } from '../conformance/index.ts'
import { assert, runSuite } from '../conformance/suite.ts'

export default {
  async fetch(_request: Request, env: { VERSION: string }): Promise<Response> {
    assert(navigator.userAgent === 'Cloudflare-Workers', 'this is not workerd')
    assert(!('process' in globalThis) && !('Buffer' in globalThis), 'Node compatibility is on')
    return Response.json(await runSuite(modules, lib, 'workerd', env.VERSION))
  },
}
