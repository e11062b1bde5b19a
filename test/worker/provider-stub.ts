import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { markConfidential } from './harness.ts'

/** How a token differs from one that the identity provider signs. */
export interface TokenOptions {
  algorithm?: 'ES256' | 'HS256' | 'none'
  /** For HS256. */
  secret?: string
}

export interface ProviderStub {
  readonly issuer: string
  /** URLs that the Worker has requested. */
  readonly requests: string[]
  readonly outbound: (url: URL) => Response
  /** A token with these claims besides `iss`, `sub`, `iat` and `exp`; `undefined` removes one. */
  sign(claims?: Record<string, unknown>, options?: TokenOptions): string
}

export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** An OpenID Connect provider without a network: it handles the Worker's `fetch`. */
export function makeProvider(issuer: string, keySetPath = '/.well-known/jwks.json'): ProviderStub {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256', use: 'sig' }
  const { origin, pathname } = new URL(issuer)
  const requests: string[] = []
  const bodies: Record<string, object> = {
    [`${pathname.replace(/\/$/, '')}/.well-known/openid-configuration`]: {
      issuer,
      jwks_uri: `${origin}${keySetPath}`,
    },
    [keySetPath]: { keys: [jwk] },
  }
  return {
    issuer,
    requests,
    outbound: (url) => {
      requests.push(url.href)
      const body = url.origin === origin ? bodies[url.pathname] : undefined
      return body ? Response.json(body) : new Response(null, { status: 404 })
    },
    // Without jsonwebtoken, which does not sign invalid tokens.
    sign: (claims = {}, { algorithm = 'ES256', secret = '' } = {}) => {
      const header = encode({ alg: algorithm, typ: 'JWT', kid: 'key-1' })
      const times = { iat: inSeconds(-60), exp: inSeconds(3600) }
      const input = `${header}.${encode({ iss: issuer, sub: 'user-1', ...times, ...claims })}`
      const signatures = {
        ES256: () => sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
        HS256: () => createHmac('sha256', secret).update(input).digest(),
        none: () => Buffer.of(),
      }
      return markConfidential(`${input}.${signatures[algorithm]().toString('base64url')}`)
    },
  }
}
