import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALGORITHMS, type Algorithm } from '../../src/algorithms.ts'
import type { ClaimStyle, Customer } from '../../src/index.ts'
import { openssl } from '../unit/openssl.ts'

/** A secret of letters and digits, a secret of any text, and private keys in the traditional and PKCS#8 formats. */
export type KeyForm = 'secret' | 'text' | 'traditional' | 'pkcs8'

/** A key as passed to the programs. */
export type Key = { secret: string } | { keyFile: string }

export interface KeyPair {
  form: KeyForm
  /** The secret, or the private key. */
  text: string
  /** For the programs. */
  signing: Key
  verification: Key
  /** For `createSigner` and `createVerifier`. */
  signer: { secret: string } | { privateKey: string }
  verifier: { secret: string } | { publicKey: string }
}

export interface Subject {
  name: string
  claimStyle: ClaimStyle
  claims: Partial<Customer> & { isAdmin?: true }
}

export const workspaceKey = '5e0c1b0a-7d0a-4b8e-9a55-3c1f6f1f6e0d'

export const subjects: readonly Subject[] = [
  { name: 'a customer', claimStyle: 'issuer', claims: { id: 'customer-42', name: 'Acme Inc.' } },
  {
    name: 'a customer with a name in many scripts',
    claimStyle: 'workspaceKey',
    claims: {
      id: 'клиент/7',
      name: 'Zoë “Ångström” & Søn <株式会社> \'שלום\' 🚀 \\ "e\u0301"',
      fields: { größe: 'groß', '🔑': '\u2028\t\u0000' },
    },
  },
  {
    name: 'a customer with nested fields',
    claimStyle: 'tenant',
    claims: {
      id: 'user+tag@example.com',
      name: '',
      fields: {
        plan: { name: 'pro', limits: { seats: 250, rate: 1.5, since: null }, tags: ['a', ['b', {}], []] },
        active: true,
        archived: false,
        largest: Number.MAX_SAFE_INTEGER,
        debt: -0.25,
        empty: {},
      },
    },
  },
  { name: 'a customer with only an id', claimStyle: 'issuer', claims: { id: '0' } },
  { name: 'an admin', claimStyle: 'issuer', claims: { isAdmin: true } },
]

/** The claims for a program in another language to sign, in the subject's claim style. */
export function claimsOf({ claimStyle, claims }: Subject, exp: number | undefined): Record<string, unknown> {
  const { id, ...rest } = claims
  return {
    [claimStyle === 'issuer' ? 'iss' : 'workspaceKey']: workspaceKey,
    ...(id !== undefined && { [claimStyle === 'tenant' ? 'tenantKey' : 'id']: id }),
    ...rest,
    ...(exp !== undefined && { exp }),
  }
}

const CURVES = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' } as const

export type KeysOf = (algorithm: Algorithm) => readonly KeyPair[]

/** Generates secrets and keys, and writes the keys to the folder. */
export function createKeys(folder: string): KeysOf {
  const save = (name: string, text: string): Key => {
    const keyFile = join(folder, name)
    writeFileSync(keyFile, text, { mode: 0o600 })
    return { keyFile }
  }
  const secretOf = (form: KeyForm, secret: string): KeyPair => ({
    form,
    text: secret,
    signing: { secret },
    verification: { secret },
    signer: { secret },
    verifier: { secret },
  })
  const pairsOf = (name: string, command: string): KeyPair[] => {
    const traditional = openssl(command)
    const publicKey = openssl('pkey -pubout', traditional)
    const verification = save(`${name}.public.pem`, publicKey)
    return Object.entries({ traditional, pkcs8: openssl('pkcs8 -topk8 -nocrypt', traditional) }).map(
      ([form, privateKey]) => ({
        form: form as KeyForm,
        text: privateKey,
        signing: save(`${name}.${form}.pem`, privateKey),
        verification,
        signer: { privateKey },
        verifier: { publicKey },
      }),
    )
  }
  const hex = openssl('rand -hex 64').trim()
  const secrets = [secretOf('secret', hex), secretOf('text', `  ${hex} – schlüssel 鍵 🔑\n`)]
  const rsa = pairsOf('rsa', 'genrsa -traditional 2048')
  const ec = new Map(
    Object.entries(CURVES).map(([curve, name]) => [
      curve,
      pairsOf(curve, `ecparam -name ${name} -genkey -noout`),
    ]),
  )
  return (algorithm) => {
    const { kty, namedCurve } = ALGORITHMS[algorithm]
    if (kty === 'oct') return secrets
    return namedCurve ? ec.get(namedCurve)! : rsa
  }
}
