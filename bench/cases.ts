import type { Algorithm } from '../src/algorithms.ts'

export type Task = 'sign' | 'verify'
export type Runtime = 'node' | 'deno' | 'bun' | 'workerd'
export type Fields = 'small' | '4 KB'

export const WORKSPACE_KEY = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
export const EXPIRES_IN = 7200

/** One comparison: every contender performs the same task with the same algorithm and the same fields. */
export interface Case {
  readonly task: Task
  readonly algorithm: Algorithm
  /** Number of operations in progress at the same time. */
  readonly concurrency: 1 | 32
  readonly fields: Fields
}

/** One key in every format that a contender accepts; generated for each run. */
export interface KeyFormats {
  readonly pkcs8: string
  readonly spki: string
  /** PEM in SEC1 for an EC key, in PKCS#1 for an RSA key. */
  readonly traditional: string
  readonly jwk: JsonWebKey
}

export interface KeyMaterial {
  readonly secret: string
  readonly keys: Readonly<Record<'P-256' | 'P-384' | 'RSA', KeyFormats>>
}

const CUSTOMER = { id: 'cus_8f14e45f', name: 'Acme Incorporated' }

/** The customer in Membrane's documentation, with the documented fields or with larger ones. */
export function customerWith(fields: Fields): typeof CUSTOMER & { fields: Record<string, string> } {
  return {
    ...CUSTOMER,
    fields: fields === 'small' ? { userField: '<user field value>' } : fieldsOfSize(4096),
  }
}

/** Fields of about this many bytes of JSON; each member has 64. */
export function fieldsOfSize(bytes: number): Record<string, string> {
  const members = Array.from({ length: Math.max(1, Math.floor(bytes / 64)) }, (_, index) => [
    `field-${String(index).padStart(4, '0')}`,
    '0123456789abcdef'.repeat(3),
  ])
  return Object.fromEntries(members)
}

export function keyOf({ keys }: KeyMaterial, algorithm: Algorithm): KeyFormats {
  return keys[algorithm === 'ES256' ? 'P-256' : algorithm === 'ES384' ? 'P-384' : 'RSA']
}

/** All cases of a task: small fields with every algorithm and, for signing, 4 KB with one secret and one key pair. */
function casesOf(task: Task, algorithms: readonly Algorithm[]): Case[] {
  const large: Algorithm[] = task === 'sign' ? ['HS512', 'ES256'] : []
  const variants = [
    ...algorithms.map((algorithm) => ({ algorithm, fields: 'small' as const })),
    ...large.map((algorithm) => ({ algorithm, fields: '4 KB' as const })),
  ]
  return variants.flatMap((variant) =>
    ([1, 32] as const).map((concurrency) => ({ task, ...variant, concurrency })),
  )
}

const SIGN_ALGORITHMS = ['HS256', 'HS512', 'ES256', 'ES384', 'RS256', 'PS256'] as const
const VERIFY_ALGORITHMS = ['HS512', 'ES256', 'RS256'] as const
export const CASES: readonly Case[] = [
  ...casesOf('sign', SIGN_ALGORITHMS),
  ...casesOf('verify', VERIFY_ALGORITHMS),
]
