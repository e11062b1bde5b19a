import type { MembraneTokenError } from '../../errors.ts'
import { invalidKey, unsupportedKey } from '../errors.ts'

/** Things that people pass as a key and that are something else, each with its own advice. */

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    /^(ssh|ecdsa|sk)-/,
    'This is an OpenSSH public key; to verify, convert it with `ssh-keygen -e -m PKCS8 -f key.pub > public.pem`.',
  ],
  [
    /^---- BEGIN SSH2/,
    'This is an SSH2 public key (RFC 4716); convert it with `ssh-keygen -i -m RFC4716 -f key.pub > openssh.pub` and then `ssh-keygen -e -m PKCS8 -f openssh.pub > public.pem`.',
  ],
]

/** Objects and JSON, by a member that only they have. */
const MEMBERS: readonly (readonly [path: string, advice: string])[] = [
  ['private_key', "This is a Google service account's key file; pass its private_key as privateKey."],
  ['keys', 'This is a JWK set; pass it as jwks to verify, or one of its keys.'],
  ['PublicKey', 'This is a response of AWS KMS; pass its PublicKey as publicKey, and sign with `awsKms`.'],
  ['pem', 'This is a response of Google Cloud KMS; pass its pem as publicKey, and sign with `googleKms`.'],
  [
    'key.kty',
    'This is a response of Azure Key Vault; pass its key as publicKey, and sign with `azureKeyVault`.',
  ],
  [
    'asymmetricKeyType',
    "This is a KeyObject; pass `key.export({ format: 'jwk' })`, or `key.toCryptoKey(…)`.",
  ],
  ['checkIssued', 'This is an X509Certificate; pass `certificate.toString()`, its PEM.'],
  ['sign', 'This is a signer, not key material; pass it as privateKey to createSigner, with its publicKey.'],
]

const JAVA_KEY_STORE =
  'This is a Java key store; convert it with `keytool -importkeystore -srckeystore key.jks -destkeystore key.p12 -deststoretype PKCS12`, then extract the key with `openssl pkcs12 -in key.p12 -nodes -nocerts -out key.pem`.'

/** The error for text that is no key. */
export function foreignText(text: string): MembraneTokenError {
  const advice = PATTERNS.find(([pattern]) => pattern.test(text))?.[1]
  return advice ? unsupportedKey(advice) : invalidKey(FORMS)
}

/** The error for a value, or parsed JSON, that is no key. */
export function foreignValue(value: unknown): MembraneTokenError {
  const advice = MEMBERS.find(([path]) => has(value, path.split('.')))?.[1]
  return advice ? unsupportedKey(advice) : invalidKey(FORMS)
}

function has(value: unknown, [member = '', ...rest]: string[]): boolean {
  if (typeof value !== 'object' || value === null || !(member in value)) return false
  return rest.length === 0 || has((value as Record<string, unknown>)[member], rest)
}

/** The error for bytes of a binary file that is no key, where they are one. */
export function foreignBytes(bytes: Uint8Array): MembraneTokenError | undefined {
  const isKeyStore = (bytes[0] === 0xfe && bytes[1] === 0xed) || (bytes[0] === 0xce && bytes[1] === 0xce)
  return isKeyStore ? unsupportedKey(JAVA_KEY_STORE) : undefined
}

export const FORMS =
  'The key must be PEM text, DER bytes (Uint8Array), a JWK or a CryptoKey. It must not be empty or a file name.'
