import { toHex } from '../../encoding.ts'
import type { MembraneTokenError } from '../../errors.ts'
import { invalidKey, recognizedAs } from '../errors.ts'

/** Inputs that are often passed instead of a key: how to recognize each, what it is, and the fix. */

const TEXTS: readonly (readonly [RegExp, what: string, fix: string])[] = [
  [
    /^(ssh|ecdsa|sk)-/,
    'an OpenSSH public key',
    'to verify, convert it with `ssh-keygen -e -m PKCS8 -f key.pub > public.pem`',
  ],
  [
    /^---- BEGIN SSH2/,
    'an SSH2 public key (RFC 4716)',
    'convert it with `ssh-keygen -i -f key.pub > openssh.pub` and then `ssh-keygen -e -m PKCS8 -f openssh.pub > public.pem`',
  ],
]

/** Objects and JSON, recognized by a member of the value or of its `key`. */
const MEMBERS: readonly (readonly [member: string, what: string, fix: string])[] = [
  ['private_key', "a Google service account's key file", 'pass its private_key as privateKey'],
  ['keys', 'a JWK set', 'pass it as jwks to verify, or one of its keys'],
  ['PublicKey', 'an AWS KMS response', 'pass its PublicKey as publicKey, and sign with `awsKms`'],
  ['pem', 'a Google Cloud KMS response', 'pass its pem as publicKey, and sign with `googleKms`'],
  ['kty', 'an Azure Key Vault response', 'pass its key as publicKey, and sign with `azureKeyVault`'],
  ['asymmetricKeyType', 'a KeyObject', "pass `key.export({ format: 'jwk' })`, or `key.toCryptoKey(…)`"],
  ['checkIssued', 'an X509Certificate', 'pass `certificate.toString()`, its PEM'],
  ['sign', 'a signer, not key material', 'pass it as privateKey to createSigner, with its publicKey'],
]

/** The error for text that is not a key. */
export function unusableText(text: string): MembraneTokenError {
  return unusable(TEXTS.find(([pattern]) => pattern.test(text)))
}

/** The error for a value, or parsed JSON, that is not a key. */
export function unusableValue(value: unknown): MembraneTokenError {
  // Arrays are left out: they inherit a member `keys`.
  const objects = [value, Object(value).key].filter((each) => !Array.isArray(each)).map(Object)
  return unusable(MEMBERS.find(([member]) => objects.some((object) => member in object)))
}

function unusable([, what, fix]:
  | readonly [unknown, what: string, fix: string]
  | [] = []): MembraneTokenError {
  return what && fix ? recognizedAs(what, fix) : invalidKey(ACCEPTED_FORMATS)
}

/** The error for bytes of a binary file that is known not to be a key. */
export function unusableBytes(bytes: Uint8Array): MembraneTokenError | undefined {
  if (!/^(feed|cece)/.test(toHex(bytes.subarray(0, 2)))) return undefined
  return recognizedAs(
    'a Java keystore',
    'convert it with `keytool -importkeystore -srckeystore key.jks -destkeystore key.p12 -deststoretype PKCS12`, then extract the key with `openssl pkcs12 -in key.p12 -nodes -nocerts -out key.pem`',
  )
}

export const ACCEPTED_FORMATS =
  'The key must be PEM text with its BEGIN and END lines, DER bytes, a JWK or a CryptoKey, not a file name.'
