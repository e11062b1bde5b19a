import { toBase64url } from './encoding.ts'

/**
 * Fresh keys, generated on first use and kept for the run, because RSA generation is slow. The map holds JWKs, not
 * promises: on workerd, one request cannot await the promise of another.
 */

export type Curve = 'P-256' | 'P-384' | 'P-521'
export type KeyName = Curve | 'RSA' | 'other P-256' | 'other RSA'
export type Jwk = JsonWebKey & { kty: string; kid?: string }

const generated = new Map<KeyName, Jwk>()

const generators: Record<KeyName, RsaHashedKeyGenParams | EcKeyGenParams> = {
  'P-256': { name: 'ECDSA', namedCurve: 'P-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384' },
  'P-521': { name: 'ECDSA', namedCurve: 'P-521' },
  'other P-256': { name: 'ECDSA', namedCurve: 'P-256' },
  RSA: rsaParameters(),
  'other RSA': rsaParameters(),
}

function rsaParameters(): RsaHashedKeyGenParams {
  return {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: 'SHA-256',
  }
}

/** A private key without `alg`, `use`, `key_ops` and `ext`. */
export async function privateJwk(name: KeyName): Promise<Jwk> {
  const known = generated.get(name)
  if (known) return { ...known }
  const pair = (await crypto.subtle.generateKey(generators[name], true, ['sign', 'verify'])) as CryptoKeyPair
  const {
    alg: _,
    use: __,
    key_ops: ___,
    ext: ____,
    ...jwk
  } = await crypto.subtle.exportKey('jwk', pair.privateKey)
  generated.set(name, jwk as Jwk)
  return { ...(jwk as Jwk) }
}

/** The private keys for tables of key formats: P-256 and RSA. */
export interface TestKeys {
  ec: Jwk
  rsa: Jwk
}

export async function testKeys(): Promise<TestKeys> {
  return { ec: await privateJwk('P-256'), rsa: await privateJwk('RSA') }
}

export function publicHalf(jwk: Jwk): Jwk {
  const { kty, crv, x, y, n, e } = jwk
  return kty === 'RSA' ? ({ kty, n, e } as Jwk) : ({ kty, crv, x, y } as Jwk)
}

export async function publicJwk(name: KeyName): Promise<Jwk> {
  return publicHalf(await privateJwk(name))
}

/** From `openssl prime`. None is 1 modulo 3 or 65537, so both exponents have an inverse. */
const primes = {
  first: `c53ffeb3526e4af47c365e66105d9416166518d472b6ff40a542fdbc7ddc2c0f48b0a3c441085eb1d76d421ddab46b0f
    308f0e7c66a12951ab8ea9f782a3e4ac48ac83f92223798dcfd8e8e426d002e88fcd9490aac30f69033d7142680da21b
    154e24adea73bc22fc6261402eda07978fe4101c72d3257e9d28ffe2e91d36dd`,
  second: `e86d535be4e4d1268360fc79e26e7a712bacee349d05f749ad5150f91710613e8867d7ff46349f4830ffe7d6805733aa
    8a61ec66ba5bbb6e69145e1a585a15075776147b1daa60954a4d2d15b125df6f7d4a517b3f52bf0369d8c43dd81b0422
    e19882fcbf7c9a875e33a39eba7a4ca277d6cf57d8404e93661f7f415375f051`,
  shorter: `1c101a85ab547e68fe9745ef94a828da6b95a3e14b73481ec4e6a8a3caca81fc1e3ab9ea490cb4d505fef21ae3d6695c
    9aba11ada2627d5bff749343639961d62436526bad0e20d5052f76ded73271dcf7b323458ad38b7d51ff4050082e438b
    95e81b5fe8aa7e799408fecd0618e54507f80e379cbf1bbe5515706c4de83ed`,
  short: `c04631872676caa513d21d348fcfbb10e7b09fde6ad15bb6119d7a5fa0775a528b5cd041732e0a7bdc151b3132464d15
    6e243c3d0483f4858cab0c15a72d3e3b`,
  alsoShort: `fd72d0e7c8aec7c9b526745ea6c46dbdbb787907234efc026e34e3e6c28c26da8f425218bf905c1c53c87e3623c883ec
    13a614b9e74c188a953272789d5a723f`,
}

/** Consistent RSA keys that Web Crypto does not generate. `modulusBits` is exact, not rounded to bytes. */
export function unusualRsaJwk(modulusBits: 1024 | 2041 | 2048, exponent: bigint): Jwk {
  const p = number(modulusBits === 1024 ? primes.short : primes.first)
  const q = number({ 1024: primes.alsoShort, 2041: primes.shorter, 2048: primes.second }[modulusBits])
  return rsaJwkOf(p, q, exponent)
}

/** RSA keys with consistent components that must be rejected. */
export const unsoundRsaJwks = {
  /** One "prime" is a product of two, so signatures do not verify. */
  composite: (): Jwk => rsaJwkOf(number(primes.first), number(primes.short) * number(primes.alsoShort)),
  /** Primes of 1536 and 512 bits. */
  unequal: (): Jwk => rsaJwkOf(number(primes.first) * number(primes.short), number(primes.alsoShort)),
  /** Primes with the upper half in common: Fermat's method factors the modulus. */
  close: (): Jwk => rsaJwkOf(number(primes.first), number(primes.first) + 2n ** 500n),
  /** As in CVE-2017-15361: primes that are powers of 65537 modulo the product of the small primes. */
  roca: (): Jwk => rsaJwkOf(rocaNumber(5n, 15n << 801n), rocaNumber(7n, 14n << 801n)),
}

function rocaNumber(power: bigint, factor: bigint): bigint {
  const isPrime = (value: number) => ![2, 3, 5, 7, 11].some((prime) => value !== prime && value % prime === 0)
  const product = Array.from({ length: 166 }, (_, index) => index + 2)
    .filter(isPrime)
    .reduce((result, prime) => result * BigInt(prime), 1n)
  return factor * product + (65_537n ** power % product)
}

function rsaJwkOf(p: bigint, q: bigint, exponent = 65_537n): Jwk {
  const d = inverse(exponent, (p - 1n) * (q - 1n))
  return {
    kty: 'RSA',
    n: base64urlNumber(p * q),
    e: base64urlNumber(exponent),
    d: base64urlNumber(d),
    p: base64urlNumber(p),
    q: base64urlNumber(q),
    dp: base64urlNumber(d % (p - 1n)),
    dq: base64urlNumber(d % (q - 1n)),
    qi: base64urlNumber(inverse(q, p)),
  }
}

function number(hex: string): bigint {
  return BigInt(`0x${hex.replaceAll(/\s/g, '')}`)
}

/** Extended Euclid. For an even exponent, which has no inverse, the result is any number. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [previous, current] = [modulus, value % modulus]
  let [before, now] = [0n, 1n]
  while (current > 1n) {
    const quotient = previous / current
    ;[previous, current] = [current, previous - quotient * current]
    ;[before, now] = [now, before - quotient * now]
  }
  return ((now % modulus) + modulus) % modulus
}

export function base64urlNumber(value: bigint): string {
  const hex = value.toString(16)
  const pairs = (hex.length % 2 ? `0${hex}` : hex).match(/../g) ?? []
  return toBase64url(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)))
}
