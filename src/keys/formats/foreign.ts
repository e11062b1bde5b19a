import { toHex } from '../../encoding.ts'
import type { MembraneTokenError } from '../../errors.ts'
import { invalidKey, recognisedAs } from '../errors.ts'

/** Things that people pass as a key and that are something else: how they are recognised, what they are, the fix. */

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

/** Objects and JSON, by a member that only they have, or that only their `key` has. */
const MEMBERS: readonly (readonly [member: string, what: string, fix: string])[] = [
  ['private_key', "a Google service account's key file", 'pass its private_key as privateKey'],
  ['keys', 'a JWK set', 'pass it as jwks to verify, or one of its keys'],
  ['PublicKey', 'a response of AWS KMS', 'pass its PublicKey as publicKey, and sign with `awsKms`'],
  ['pem', 'a response of Google Cloud KMS', 'pass its pem as publicKey, and sign with `googleKms`'],
  ['kty', 'a response of Azure Key Vault', 'pass its key as publicKey, and sign with `azureKeyVault`'],
  ['asymmetricKeyType', 'a KeyObject', "pass `key.export({ format: 'jwk' })`, or `key.toCryptoKey(…)`"],
  ['checkIssued', 'an X509Certificate', 'pass `certificate.toString()`, its PEM'],
  ['sign', 'a signer, not key material', 'pass it as privateKey to createSigner, with its publicKey'],
]

/** The error for text that is not a key. */
export function foreignText(text: string): MembraneTokenError {
  return foreign(TEXTS.find(([pattern]) => pattern.test(text)))
}

/** The error for a value, or parsed JSON, that is not a key. */
export function foreignValue(value: unknown): MembraneTokenError {
  const places = [value, Object(value).key].map(Object)
  return foreign(MEMBERS.find(([member]) => places.some((place) => member in place)))
}

function foreign([, what, fix]: readonly [unknown, what: string, fix: string] | [] = []): MembraneTokenError {
  return what && fix ? recognisedAs(what, fix) : invalidKey(FORMS)
}

/** The error for the bytes of a known binary file that is not a key. */
export function foreignBytes(bytes: Uint8Array): MembraneTokenError | undefined {
  if (!/^(feed|cece)/.test(toHex(bytes.subarray(0, 2)))) return undefined
  return recognisedAs(
    'a Java key store',
    'convert it with `keytool -importkeystore -srckeystore key.jks -destkeystore key.p12 -deststoretype PKCS12`, then extract the key with `openssl pkcs12 -in key.p12 -nodes -nocerts -out key.pem`',
  )
}

export const FORMS =
  'The key must be PEM text with its BEGIN and END lines, DER bytes, a JWK or a CryptoKey, and not a file name.'
