import type { Algorithm } from '../src/algorithms.ts'

export type Task = 'sign' | 'verify'
export type Runtime = 'node' | 'deno' | 'bun' | 'workerd'
export type Fields = 'small' | '4 KB'

export const WORKSPACE_KEY = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
export const EXPIRES_IN = 7200

/** What is measured side by side: every contender does one task, with one algorithm and one set of fields. */
export interface Case {
  readonly task: Task
  readonly algorithm: Algorithm
  /** How many are asked for before the first is waited for. */
  readonly atOnce: 1 | 32
  readonly fields: Fields
}

/** One key in every form in which somebody takes it. Made anew for every run. */
export interface KeyForms {
  readonly pkcs8: string
  readonly spki: string
  /** SEC1 or PKCS#1. */
  readonly traditional: string
  readonly jwk: JsonWebKey
}

export interface Material {
  readonly secret: string
  readonly keys: Readonly<Record<'P-256' | 'P-384' | 'RSA', KeyForms>>
}

const CUSTOMER = { id: 'cus_8f14e45f', name: 'Acme Incorporated' }

/** The customer of the documentation's sample, with its own or with larger fields. */
export function customerWith(fields: Fields): typeof CUSTOMER & { fields: Record<string, string> } {
  return {
    ...CUSTOMER,
    fields: fields === 'small' ? { userField: '<user field value>' } : fieldsOfSize(4096),
  }
}

/** Fields that are about so many bytes of JSON, 64 to a member. */
export function fieldsOfSize(bytes: number): Record<string, string> {
  const members = Array.from({ length: Math.max(1, Math.floor(bytes / 64)) }, (_, index) => [
    `field-${String(index).padStart(4, '0')}`,
    '0123456789abcdef'.repeat(3),
  ])
  return Object.fromEntries(members)
}

export function keyOf({ keys }: Material, algorithm: Algorithm): KeyForms {
  return keys[algorithm === 'ES256' ? 'P-256' : algorithm === 'ES384' ? 'P-384' : 'RSA']
}

/** All cases of a task: small fields with every algorithm, 4 KB with one secret and one key pair. */
export function casesOf(task: Task, algorithms: readonly Algorithm[]): Case[] {
  const large: Algorithm[] = task === 'sign' ? ['HS512', 'ES256'] : []
  const kinds = [
    ...algorithms.map((algorithm) => ({ algorithm, fields: 'small' as const })),
    ...large.map((algorithm) => ({ algorithm, fields: '4 KB' as const })),
  ]
  return kinds.flatMap((kind) => ([1, 32] as const).map((atOnce) => ({ task, ...kind, atOnce })))
}

export const SIGNED = ['HS256', 'HS512', 'ES256', 'ES384', 'RS256', 'PS256'] as const
export const VERIFIED = ['HS512', 'ES256', 'RS256'] as const
export const CASES: readonly Case[] = [...casesOf('sign', SIGNED), ...casesOf('verify', VERIFIED)]
