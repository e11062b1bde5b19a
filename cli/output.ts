import type { OptionTable } from './arguments.ts'
import { printable } from './terminal.ts'

export const JSON_OPTIONS = {
  json: { type: 'boolean', description: 'Print JSON' },
} as const satisfies OptionTable

/** Indented JSON. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

/** The value of a claim or header on one line. */
export function toLine(value: unknown): string {
  const isPlain = typeof value === 'string' && value !== '' && value.trim() === value
  return printable(isPlain ? value : (JSON.stringify(value) ?? 'undefined'))
}
