// A minimal token endpoint with Hono and jose: verifies the session, signs the token, and caches its keys.
import { Hono } from 'hono'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose'

interface Env {
  SESSION_ISSUER: string
  SESSION_AUDIENCE: string
  /** The key set; default: fetched from `SESSION_JWKS_URI`. */
  SESSION_JWKS?: JSONWebKeySet
  SESSION_JWKS_URI: string
  MEMBRANE_WORKSPACE_KEY: string
  MEMBRANE_WORKSPACE_SECRET: string
}

let keySet: JWTVerifyGetKey | undefined
let key: CryptoKey | undefined

const importKey = (secret: string) =>
  crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-512' }, false, [
    'sign',
  ])

const app = new Hono<{ Bindings: Env }>()

app.get('/api/membrane-token', async (c) => {
  keySet ??= c.env.SESSION_JWKS
    ? createLocalJWKSet(c.env.SESSION_JWKS)
    : createRemoteJWKSet(new URL(c.env.SESSION_JWKS_URI))
  key ??= await importKey(c.env.MEMBRANE_WORKSPACE_SECRET)
  const session = c.req.header('Authorization')?.slice('Bearer '.length) ?? ''
  const { payload } = await jwtVerify(session, keySet, {
    issuer: c.env.SESSION_ISSUER,
    audience: c.env.SESSION_AUDIENCE,
    algorithms: ['RS256'],
  })
  const token = await new SignJWT({ id: payload.sub, name: payload.name })
    .setProtectedHeader({ alg: 'HS512', typ: 'JWT' })
    .setIssuer(c.env.MEMBRANE_WORKSPACE_KEY)
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(key)
  return c.json({ token })
})

// biome-ignore lint/style/noDefaultExport: workerd requires it
export default app
