import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Algorithm, ClaimStyle } from '../../src/index.ts'
import { workspaceKey } from './fixtures.ts'
import type { Language } from './languages.ts'

export type SampleName = 'secret' | 'key'

/** The token that the page's sample of a language signs. */
export interface Sample {
  algorithm: Algorithm
  claimStyle: ClaimStyle
  /** Their names, in the order of the payload. */
  claims: readonly string[]
  fields?: Record<string, unknown>
  /** In seconds. */
  lifetime: number
}

export const customer = { id: 'müller-7', name: 'Zoë Müller & Søn 株式会社 🚀' } as const
const fieldValue = 'a field’s value: größe 鍵'

// Go sorts the keys of a map.
const go: Omit<Sample, 'algorithm'> = {
  claimStyle: 'issuer',
  claims: ['exp', 'id', 'iss', 'name'],
  lifetime: 86_400,
}
const ruby: typeof go = { claimStyle: 'issuer', claims: ['id', 'name', 'iss', 'exp'], lifetime: 21_600 }
const java: typeof go = { claimStyle: 'issuer', claims: ['id', 'name', 'exp', 'iss'], lifetime: 14_400 }

/** By folder. The samples for PHP are not run. */
export const samples: Readonly<Record<string, Readonly<Record<SampleName, Sample>>>> = {
  javascript: {
    secret: {
      algorithm: 'HS512',
      claimStyle: 'workspaceKey',
      claims: ['workspaceKey', 'id', 'name', 'fields', 'iat', 'exp'],
      fields: { userField: fieldValue },
      lifetime: 7200,
    },
    key: {
      algorithm: 'ES256',
      claimStyle: 'issuer',
      claims: ['id', 'name', 'fields', 'iat', 'exp', 'iss'],
      fields: { userField: fieldValue },
      lifetime: 7200,
    },
  },
  python: {
    secret: {
      algorithm: 'HS256',
      claimStyle: 'issuer',
      claims: ['id', 'name', 'iss', 'fields', 'exp'],
      fields: { field1: fieldValue },
      lifetime: 1440,
    },
    key: { algorithm: 'ES256', claimStyle: 'issuer', claims: ['id', 'name', 'iss', 'exp'], lifetime: 1440 },
  },
  go: { secret: { algorithm: 'HS256', ...go }, key: { algorithm: 'ES256', ...go } },
  ruby: { secret: { algorithm: 'HS256', ...ruby }, key: { algorithm: 'ES256', ...ruby } },
  java: { secret: { algorithm: 'HS256', ...java }, key: { algorithm: 'ES256', ...java } },
}

/** Replaces the placeholders in the samples of a copied folder, as users of the page do. */
export function fillIn(folder: string, { lineBreak }: Language, secret: string, privateKey: string): void {
  const key = privateKey.trim().replaceAll('\n', lineBreak ?? '\n')
  for (const file of readdirSync(folder).filter((name) => /sample/i.test(name))) {
    const path = join(folder, file)
    const text = readFileSync(path, 'utf8')
      .replaceAll('<WORKSPACE_KEY>', () => workspaceKey)
      .replaceAll('<WORKSPACE_SECRET>', () => secret)
      .replaceAll('{CUSTOMER_ID}', () => customer.id)
      .replaceAll('{CUSTOMER_NAME}', () => customer.name)
      .replaceAll(/<(?:user )?field value>/g, () => fieldValue)
      // A placeholder on a separate line is indented, and so is every line of the key.
      .replaceAll(/^([ \t]+)<YOUR PRIVATE KEY>/gm, (_, indent) => key.replace(/^/gm, indent))
      .replaceAll('<YOUR PRIVATE KEY>', () => key)
    writeFileSync(path, text)
  }
}

const seed = new URL('../../../shared/seed/', import.meta.url)
const starts = [
  'import jwt from',
  'import datetime',
  'import (',
  "require 'jwt'",
  'import io.jsonwebtoken.Jwts',
]
const folders = Object.keys(samples)

/** The page's samples, if the page is next to the checkout. */
function readPage(): { folder: string; name: SampleName; lines: string[] }[] {
  if (!existsSync(seed)) return []
  const [file] = readdirSync(seed)
  const [, step2, step3] = readFileSync(new URL(file!, seed), 'utf8').split(/^Step [23]: .*$/m)
  return Object.entries({ secret: step2, key: step3 }).flatMap(([name, step]) => {
    const ends = [...starts.slice(1), 'use Firebase']
    return folders.map((folder, at) => {
      const text = step!.slice(step!.indexOf(starts[at]!), step!.indexOf(ends[at]!))
      return { folder, name: name as SampleName, lines: text.split('\n').map(bare).filter(Boolean) }
    })
  })
}

/** A line without spaces, double quotes and a trailing comma, which formatters change. */
const bare = (line: string): string => line.replace(/\s/g, '').replaceAll('"', "'").replace(/,$/, '')

/** For each sample, the lines of the page that are missing in our copy; `undefined` without the page. */
export function compareWithPage(): { title: string; missing: string[] }[] | undefined {
  const page = readPage()
  return page.length === 0
    ? undefined
    : page.map(({ folder, name, lines }) => {
        const directory = fileURLToPath(new URL(folder, import.meta.url))
        const isOurs = new RegExp(`^${name}[-_]?sample`, 'i')
        const ours = readdirSync(directory).find((file) => isOurs.test(file))!
        const copy = new Set(readFileSync(join(directory, ours), 'utf8').split('\n').map(bare))
        const missing = lines.filter((line) => !copy.has(line))
        return {
          title: `${folder}/${ours}`,
          missing: lines.length < 8 ? ['(the page was not read)'] : missing,
        }
      })
}
