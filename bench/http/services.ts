// A server on Node, Deno or Bun: CONTENDER selects it, and SETTINGS contains its settings as JSON. Prints its port
// to standard error; standard output is the log.
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { serve } from '@hono/node-server'
import express from 'express'
import jwt from 'jsonwebtoken'
import { createTokenServiceFromEnv } from '../../src/service.ts'
import constant from './constant.ts'
import hono from './hono-jose.ts'
import { createRateLimiter } from './rate-limit.ts'

const { CONTENDER = '', SETTINGS = '{}' } = process.env
const settings = JSON.parse(SETTINGS)

type Handler = (request: Request, clientAddress: string | undefined) => Response | Promise<Response>

const HANDLERS: Readonly<Record<string, () => Handler>> = {
  constant: () => () => constant.fetch(),
  hono: () => (request) => hono.fetch(request, settings),
  service: () => {
    const service = createTokenServiceFromEnv({ ...settings, RATE_LIMITER: createRateLimiter() })
    return (request, clientAddress) => service(request, { clientAddress })
  },
}

interface Connection {
  readonly remoteAddr: { readonly hostname: string }
}

const { Deno, Bun } = globalThis as {
  Deno?: {
    serve(
      options: object,
      handler: (request: Request, connection: Connection) => Response | Promise<Response>,
    ): { addr: { port: number } }
  }
  Bun?: {
    serve(options: object): { port: number }
  }
}

/** Starts the runtime's own HTTP server. */
async function listen(handler: Handler): Promise<number> {
  if (Deno) {
    const options = { hostname: '127.0.0.1', port: 0, onListen: () => {} }
    return Deno.serve(options, (request, { remoteAddr }) => handler(request, remoteAddr.hostname)).addr.port
  }
  if (Bun) {
    const fetch = (
      request: Request,
      server: { requestIP(request: Request): { address: string } | null },
    ): Response | Promise<Response> => handler(request, server.requestIP(request)?.address)
    return Bun.serve({ hostname: '127.0.0.1', port: 0, fetch }).port
  }
  return new Promise((resolve) => {
    serve(
      {
        hostname: '127.0.0.1',
        port: 0,
        fetch: (request, { incoming }) => handler(request, incoming.socket.remoteAddress),
        overrideGlobalObjects: false,
      },
      ({ port }) => resolve(port),
    )
  })
}

/** A minimal token endpoint with Express and jsonwebtoken: verifies the session, signs the token, and caches its keys. */
function listenWithExpress(): Promise<number> {
  const keys = new Map(
    settings.SESSION_JWKS.keys.map((key: JsonWebKey & { kid: string }) => [
      key.kid,
      createPublicKey({ key, format: 'jwk' }),
    ]),
  )
  const app = express()
  app.get('/api/membrane-token', (request, response) => {
    const session = request.get('authorization')?.slice('Bearer '.length) ?? ''
    const kid = jwt.decode(session, { complete: true })?.header.kid
    const payload = jwt.verify(session, keys.get(kid) as jwt.PublicKey, {
      algorithms: ['RS256'],
      issuer: settings.SESSION_ISSUER,
      audience: settings.SESSION_AUDIENCE,
    }) as jwt.JwtPayload
    const token = jwt.sign({ id: payload.sub, name: payload.name }, settings.MEMBRANE_WORKSPACE_SECRET, {
      algorithm: 'HS512',
      issuer: settings.MEMBRANE_WORKSPACE_KEY,
      expiresIn: '2h',
    })
    response.json({ token })
  })
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

const handler = HANDLERS[CONTENDER]
const port = CONTENDER === 'express' ? listenWithExpress() : handler && listen(handler())
process.stderr.write(`listening on ${await port}\n`)
