import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { buildConsole } from '../../scripts/build-console.ts'

let html: string
beforeAll(async () => {
  html = await buildConsole()
})

const between = (start: string, end: string): string => {
  const from = html.indexOf(start) + start.length
  return html.slice(from, html.indexOf(end, from))
}

test('refers to nothing outside the file', () => {
  const outside = html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .match(/\b(src|href|action|srcset)="(?!data:)[^"]*"/g)
  expect(outside).toBeNull()
})

test('allows its own script and style by hash, and no connection', () => {
  const policy = between('Content-Security-Policy" content="', '"')
  const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const directives = Object.fromEntries(
    policy.split('; ').map((directive) => {
      const [name = '', ...values] = directive.split(' ')
      return [name, values.join(' ')]
    }),
  )
  expect(directives).toEqual({
    'default-src': "'none'",
    'script-src': digest(between('<script type="module">', '</script>')),
    'style-src': digest(between('<style>', '</style>')),
    'img-src': 'data:',
    'connect-src': "'none'",
    'form-action': "'none'",
    'base-uri': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
  })
  // The policy does not apply to what precedes it.
  expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style>'))
})

test('sends no referrer', () => {
  expect(html).toContain('<meta name="referrer" content="no-referrer" />')
})

test('is at most 90 kB gzipped', () => {
  expect(gzipSync(html).length).toBeLessThanOrEqual(90_000)
})

test('is reproducible', async () => {
  expect(await buildConsole()).toBe(html)
})
