import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import { keep } from './harness.ts'

/** How a token of an identity provider differs from a valid one. */
export interface Writing {
  header?: Record<string, unknown>
  /** Replaces the identity provider's key: another private key, or a secret. */
  key?: KeyObject | string
  algorithm?: 'RS256' | 'ES256' | 'HS256' | 'none'
}

export interface IdentityProvider {
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly jwk: Record<string, unknown>
  /** Responses by path; a test may change them. */
  readonly pages: Record<string, () => Response>
  /** Requested paths. */
  readonly asked: string[]
  readonly outbound: (url: URL) => Response
  /** A token with these claims besides `iss`, `sub`, `iat` and `exp`; `undefined` removes one. */
  sign(claims?: Record<string, unknown>, writing?: Writing): string
}

export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** An OpenID Connect provider without a network: it answers the Worker's `fetch`. */
export function makeProvider(issuer: string, keySetPath = '/.well-known/jwks.json'): IdentityProvider {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256', use: 'sig' }
  const { origin, pathname } = new URL(issuer)
  const asked: string[] = []
  const pages: IdentityProvider['pages'] = {
    [`${pathname.replace(/\/$/, '')}/.well-known/openid-configuration`]: () =>
      Response.json({ issuer, jwks_uri: `${origin}${keySetPath}` }),
    [keySetPath]: () => Response.json({ keys: [jwk] }),
  }
  return {
    issuer,
    publicKey,
    jwk,
    pages,
    asked,
    outbound: (url) => {
      asked.push(url.href)
      return (url.origin === origin && pages[url.pathname]?.()) || new Response(null, { status: 404 })
    },
    sign: (claims = {}, { header, key = privateKey, algorithm = 'ES256' } = {}) => {
      const head = encode({ alg: algorithm, typ: 'JWT', kid: 'key-1', ...header })
      const times = { iat: inSeconds(-60), exp: inSeconds(3600) }
      const input = `${head}.${encode({ iss: issuer, sub: 'user-1', ...times, ...claims })}`
      return keep(`${input}.${signInput(algorithm, input, key)}`)
    },
  }
}

function signInput(algorithm: Writing['algorithm'], input: string, key: KeyObject | string): string {
  if (algorithm === 'none') return ''
  // jsonwebtoken does not sign tokens such as attackers make.
  if (algorithm === 'HS256') return createHmac('sha256', key).update(input).digest('base64url')
  const signature = signBytes('sha256', Buffer.from(input), {
    key: key as KeyObject,
    dsaEncoding: 'ieee-p1363',
  })
  return signature.toString('base64url')
}
