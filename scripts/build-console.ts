// `npm run build:console`: builds the console page as a single HTML file.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'

const source = (name: string): string => fileURLToPath(new URL(`../console/${name}`, import.meta.url))

/**
 * Bundles the console page.
 *
 * @returns The HTML. Its Content-Security-Policy allows only its own script and style, by their hashes, and blocks
 *   connections, forms, frames and HTML parsed from text
 */
export async function buildConsole(): Promise<string> {
  const [template, script, style] = await Promise.all([
    readFile(source('index.html'), 'utf8'),
    bundle('main.tsx', { format: 'esm', jsx: 'automatic', jsxImportSource: 'preact' }),
    bundle('console.css', {}),
  ])
  const policy = [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    'img-src data:',
    "connect-src 'none'",
    "form-action 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  return [
    ['content=""', `content="${policy}"`],
    ['<style></style>', `<style>${style}</style>`],
    ['<script type="module"></script>', `<script type="module">${script}</script>`],
  ].reduce((html, [slot, content]) => fill(html, slot as string, content as string), template)
}

async function bundle(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [source(entry)],
    bundle: true,
    minify: true,
    write: false,
    target: ['chrome111', 'firefox115', 'safari16.4'],
    charset: 'utf8',
    legalComments: 'none',
    tsconfig: source('tsconfig.json'),
    define: { VERSION: JSON.stringify(await readVersion()) },
    ...options,
  })
  const text = outputFiles?.[0]?.text.trimEnd() ?? ''
  if (/<\/(script|style)|<!--/i.test(text))
    throw new Error(`${entry} contains text that would close its element`)
  return text
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

const hash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`

function fill(html: string, slot: string, content: string): string {
  if (html.split(slot).length !== 2) throw new Error(`index.html must contain ${slot} exactly once`)
  // A function, because replace() expands `$&` in a string.
  return html.replace(slot, () => content)
}

if (import.meta.main) {
  const html = await buildConsole()
  const target = fileURLToPath(new URL('../dist/console.html', import.meta.url))
  await mkdir(new URL('../dist/', import.meta.url), { recursive: true })
  await writeFile(target, html)
  console.log(
    `dist/console.html: ${kilobytes(html.length)} kB, ${kilobytes(gzipSync(html).length)} kB gzipped`,
  )
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1)
}
