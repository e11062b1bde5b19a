import { handler } from '../../../../service.ts'

export const runtime = 'edge'

// The same service in the edge runtime, at a separate path.
export function GET(request: Request): Promise<Response> {
  return handler(new Request(new URL('/api/membrane-token', request.url), request))
}

export const POST = GET
