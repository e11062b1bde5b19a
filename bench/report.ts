import { CASES, type Case, type Runtime, type Task } from './cases.ts'
import type { RuntimeResults } from './child.ts'
import { JOSE, OURS, RAW, TEXT_KEY_SUFFIX } from './contenders.ts'
import type { FirstTokens } from './first-token.ts'
import type { ColdResults } from './http/cold.ts'
import type { HttpResults } from './http/measure.ts'
import { isCase, type OwnTask } from './prepare.ts'
import {
  COMPARISONS,
  compare,
  concurrencyText,
  findCase,
  httpRatios,
  losses,
  NAMES,
  type Results,
  rateOf,
  ratioText,
} from './results.ts'
import { median } from './rounds.ts'

const RUNTIME_NAMES: Readonly<Record<Runtime, string>> = {
  workerd: 'workerd',
  node: 'Node',
  deno: 'Deno',
  bun: 'Bun',
}

/** Renders results.md. */
export function renderReport(results: Results): string {
  return `${[
    '# Benchmark',
    intro(results),
    '## Where others are faster',
    lossText(results),
    ...taskSections('sign', 'Signing', results),
    ...taskSections('verify', 'Verifying', results),
    '## createSigner',
    'Microseconds from key material to a signer, all checks of the key included.',
    ownTable('key formats', 'key', results),
    '## First token',
    `Milliseconds from the first line of a bundle to its first token, in a fresh process: code evaluated, key imported, token
signed. The key for ES256 is a PKCS#8 PEM. \`createSigner\` also checks the key, and that the public key verifies what it signs.`,
    firstTokenTable(results),
    ...(results.http ? ['## The Worker under load', ...httpSection(results.http)] : []),
    ...(results.cold ? ['## A cold isolate', ...coldSection(results.cold)] : []),
    ...serviceSections(results),
    ...growthSections(results),
    ...sizeSections(results),
  ].join('\n\n')}\n`
}

function intro({ machine, date, versions, rounds, slice }: Results): string {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `Written by \`npm run bench\` on ${date}; do not edit.

- ${machine}
- ${list.join(' · ')}
- Every contender signs the customer token of Membrane's documentation (\`id\`, \`name\`, \`fields\`, \`iat\`, \`exp\`, \`iss\`),
  with its key loaded once if the library allows it; \`jsonwebtoken\` verifies that all sign the same claims, and every
  verifier is checked to reject a forged token. “${RAW}” signs prepared bytes: the upper limit for Web Crypto.
- The libraries alternate, in a different order in each of ${rounds} rounds, for ${slice} ms each, after a warm-up. Figures are medians;
  ratios are taken within each round, followed by the lowest and highest. “–”: not supported.
- workerd is timed from outside, less the time of an empty request; \`jsonwebtoken\` runs there in a Worker with
  \`nodejs_compat\`, all others without.`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = `|---|${'---:|'.repeat(head.length - 1)}`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function lossText(results: Results): string {
  const all = losses(results)
  const clear = all.filter(({ ratio }) => ratio.high < 1)
  const rows = clear
    .sort((a, b) => a.ratio.median - b.ratio.median)
    .map(({ name, peer, ratio }) => [name, peer, ratioText(ratio)])
  return `\`jsonwebtoken\` and \`fast-jwt\` call Node's \`createHmac\` and \`sign\`, which are synchronous. Web Crypto returns a
promise, in Node after a trip through the thread pool, which costs more than an HMAC. One at a time and with a secret,
they are faster on Node, Deno and Bun than any library on Web Crypto can be, raw \`crypto.subtle.sign\` included. The cases
in which another library was faster in every round, ours to theirs:

${rows.length > 0 ? table(['', 'peer', 'ratio'], rows) : 'None.'}

In ${all.length - clear.length} more cases the median of another library is higher, but not in every round.`
}

const numberFormat = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 })

function taskSections(task: Task, title: string, results: Results): string[] {
  const columns = CASES.filter((column) => column.task === task && column.concurrency === 1)
  return runtimeEntries(results).flatMap(([runtime, measured]) => [
    `## ${title}: ${RUNTIME_NAMES[runtime]}`,
    ...([1, 32] as const).map((concurrency) => rateTable(columns, concurrency, measured)),
    ratioTable(columns, measured),
    ...failureText(task, measured),
  ])
}

const columnName = ({ algorithm, fields }: Case): string =>
  fields === 'small' ? algorithm : `${algorithm}, ${fields}`

function rateTable(columns: readonly Case[], concurrency: 1 | 32, results: RuntimeResults): string {
  const measured = columns.map((column) => findCase(results, { ...column, concurrency }))
  const rows = NAMES.map((name) => {
    const rates = measured.map((each) => rateOf(each, name))
    return { name, rates }
  })
    .filter(({ rates }) => rates.some((rate) => rate !== undefined))
    .map(({ name, rates }) => [
      name === OURS ? `**${name}**` : name,
      ...rates.map((rate) => (rate === undefined ? '–' : numberFormat.format(rate))),
    ])
  return `Tokens per second, ${concurrencyText(concurrency)}:\n\n${table(['', ...columns.map(columnName)], rows)}`
}

function ratioTable(columns: readonly Case[], results: RuntimeResults): string {
  const rows = columns.flatMap((column) =>
    ([1, 32] as const).map((concurrency) => {
      const measured = findCase(results, { ...column, concurrency })
      const ratios = COMPARISONS.map((comparison) => compare(measured, comparison))
      const texts = ratios.map((found, index) => {
        if (!found) return '–'
        return COMPARISONS[index]?.startsWith('next best')
          ? `${ratioText(found)} ${found.peer.replace(TEXT_KEY_SUFFIX, '')}`
          : ratioText(found)
      })
      return [`${columnName(column)}, ${concurrencyText(concurrency)}`, ...texts]
    }),
  )
  const head = ['', RAW, JOSE, 'next best Web Crypto peer', 'the same, key as text', ...COMPARISONS.slice(4)]
  return `\`membrane-token\` relative to:\n\n${table(head, rows)}`
}

function failureText(task: Task, { groups }: RuntimeResults): string[] {
  const lines = new Set(
    groups
      .filter(({ group }) => group.task === task)
      .flatMap(({ group, failures }) =>
        Object.entries(failures).map(
          ([name, message]) => `- ${name}, ${isCase(group) ? group.algorithm : ''}: ${message}`,
        ),
      ),
  )
  return lines.size > 0 ? [`Failed here:\n\n${[...lines].join('\n')}`] : []
}

/** Microseconds per operation in a benchmark of this package alone, by runtime. */
function ownTable(task: OwnTask, title: string, results: Results): string {
  const found = runtimeEntries(results).flatMap(([runtime, { groups }]) => {
    const series = groups.find(({ group }) => group.task === task)?.series
    return series ? [{ runtime, series }] : []
  })
  const names = Object.keys(found[0]?.series ?? {})
  const rows = names.map((name) => [
    /^\d+$/.test(name) ? Number(name).toLocaleString('en-US') : name,
    ...found.map(({ series }) => {
      const rates = series[name]
      return rates ? numberFormat.format(1e6 / median(rates)) : '–'
    }),
  ])
  return table([title, ...found.map(({ runtime }) => RUNTIME_NAMES[runtime])], rows)
}

function growthSections(results: Results): string[] {
  const sections = [
    '## Growth',
    'Microseconds for one HS512 token, one at a time, by its length in characters; the limit is 8192:',
    ownTable('field sizes', 'characters', results),
    'Microseconds for one HS512 token, one at a time, with this many signers in use in turn:',
    ownTable('many signers', 'signers', results),
  ]
  const { endurance } = results
  if (!endurance) return sections
  const [before, after] = endurance.heap.map((bytes) => (bytes / 1e6).toFixed(2))
  const rows = Object.entries(endurance.latencies).map(([name, { p50, p99, slowest }]) => [
    name,
    ...[p50, p99, slowest].map((time) => time.toFixed(1)),
  ])
  return [
    ...sections,
    `Heap of Node in use after a garbage collection: ${before} MB at the start, ${after} MB after ${endurance.tokens.toLocaleString('en-US')} tokens.`,
    'Milliseconds for one HS512 token in Node, of 1,000 requested at once:',
    table(['', 'p50', 'p99', 'slowest'], rows),
  ]
}

function firstTokenTable({ firstTokens }: Results): string {
  const measured = Object.entries(firstTokens) as [Runtime, FirstTokens][]
  const names = Object.keys(measured[0]?.[1] ?? {})
  const rows = names.map((name) => [
    name.startsWith(OURS) ? `**${name}**` : name,
    ...measured.map(([, times]) => times[name]?.toFixed(1) ?? '–'),
  ])
  return table(['', ...measured.map(([runtime]) => RUNTIME_NAMES[runtime])], rows)
}

function coldSection({ delay, callers, rounds, contenders }: ColdResults): string[] {
  const rows = contenders.map(({ name, first, slowest, ratios, errors, keySetRequests }) => [
    name === OURS ? `**${name}**` : name,
    first.toFixed(0),
    slowest.toFixed(0),
    ratioText({ median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }),
    String(errors),
    String(keySetRequests),
  ])
  const head = ['', 'one caller, ms', 'slowest, ms', 'ratio', 'errors', 'key set requests']
  return [
    `A workerd that has just started, with nothing cached: one caller alone, and ${callers} callers at once on ${callers} connections. The
identity provider takes ${delay} ms to publish its keys. Medians of ${rounds} rounds.`,
    table(head, rows),
  ]
}

function serviceSections({ services }: Results): string[] {
  const sections = (Object.entries(services) as [Runtime, HttpResults][]).flatMap(([runtime, http]) => [
    `### ${RUNTIME_NAMES[runtime]}`,
    loadTable(http, false),
    loadRatios(http),
  ])
  if (sections.length === 0) return []
  return [
    '## The service on Node, Deno and Bun',
    `The same requests. Node serves Fetch handlers with \`@hono/node-server\`, Deno and Bun with their own servers. “Hono + jose” and
“Express + jsonwebtoken” verify and sign, without rate limit, audit, CORS and security headers.`,
    ...sections,
  ]
}

/** Prices of the paid Workers plan, in dollars per million requests and per million milliseconds of CPU time. */
const PRICE = { requests: 0.3, milliseconds: 0.02 }

export function httpSection(http: HttpResults): string[] {
  return [
    `Bare workerd, an RS256 session for an HS512 token with all protections on, ${http.connections} keep-alive connections, ${http.rounds} rounds of
${http.slice} ms, from the same machine. “constant” returns a constant text, the upper limit; “Hono + jose” verifies and signs, without rate
limit, audit, CORS and security headers. CPU time is that of the whole process, HTTP included.`,
    loadTable(http, true),
    loadRatios(http),
    costText(http),
  ]
}

function loadTable({ contenders }: HttpResults, withMemory: boolean): string {
  const rows = contenders.map(({ name, rates, cpu, p50, p99, errors, memory, requests }) => [
    name === OURS ? `**${name}**` : name,
    numberFormat.format(median(rates)),
    p50.toFixed(2),
    p99.toFixed(2),
    median(cpu).toFixed(0),
    String(errors),
    ...(withMemory ? memory.map((bytes) => (bytes / 1e6).toFixed(0)) : []),
    requests.toLocaleString('en-US'),
  ])
  const head = ['', 'requests per second', 'p50, ms', 'p99, ms', 'CPU µs per request', 'errors']
  const memoryHead = withMemory ? ['MB at start', 'half-way', 'at the end'] : []
  return table([...head, ...memoryHead, 'requests sent'], rows)
}

function loadRatios(http: HttpResults): string {
  const rows = httpRatios(http).map(({ name, byRate, byCpu }) => [name, ratioText(byRate), ratioText(byCpu)])
  return `\`membrane-token\` relative to:\n\n${table(['', 'by requests per second', 'by CPU time'], rows)}`
}

/** The results for a cold isolate, as a paragraph. */
export function coldText({ delay, callers, contenders }: ColdResults): string {
  const ours = contenders.find(({ name }) => name === OURS)
  if (!ours) return ''
  return `With an identity provider that takes ${delay} ms to publish its keys, a new isolate returns its first token after ${ours.first.toFixed(0)} ms. Of ${callers}
callers at once, the slowest waits ${ours.slowest.toFixed(0)} ms; the keys are requested ${ours.keySetRequests === 1 ? 'once' : `${ours.keySetRequests} times`}.`
}

/** Requests per second, by runtime. */
export function servicesTable({ http, services }: Results): string {
  const measured = { ...(http && { workerd: http }), ...services }
  const columns = (Object.keys(RUNTIME_NAMES) as Runtime[]).filter((runtime) => measured[runtime])
  const names = ['Express + jsonwebtoken', 'Hono + jose', OURS]
  const rows = names.map((name) => [
    name === OURS ? `**${name}**` : name,
    ...columns.map((runtime) => {
      const rates = measured[runtime]?.contenders.find((contender) => contender.name === name)?.rates
      return rates ? numberFormat.format(median(rates)) : '–'
    }),
  ])
  return table(['requests per second', ...columns.map((runtime) => RUNTIME_NAMES[runtime])], rows)
}

/** Cost on Workers, and tokens per second in one isolate, which is one thread: both follow from the CPU time of a request. */
export function costText({ contenders }: HttpResults): string {
  const ours = contenders.find(({ name }) => name === OURS)
  const microseconds = median(ours?.cpu ?? [])
  const dollars = PRICE.requests + (microseconds / 1000) * PRICE.milliseconds
  const perSecond = Math.floor(1e6 / microseconds / 100) * 100
  return `A token takes the Worker ${(microseconds / 1000).toFixed(2)} ms of CPU time: **a million tokens cost about $${dollars.toFixed(2)}** on Workers' paid plan ($${PRICE.requests.toFixed(2)} for the
requests, $${(dollars - PRICE.requests).toFixed(3)} for the time), beyond what it includes, and **one isolate issues about ${perSecond.toLocaleString('en-US')} tokens per second**.`
}

function sizeSections({ sizes, startUp }: Results): string[] {
  const rows = sizes.map(({ name, ours, minified, gzipped }) => [
    ours ? `**${name}**` : name,
    minified.toLocaleString('en-US'),
    gzipped.toLocaleString('en-US'),
  ])
  const { median, low, high } = startUp.firstResponse
  const profile = startUp.wrangler
    ? ` \`wrangler check startup\` counts ${startUp.wrangler} of activity in its profile.`
    : ''
  return [
    '## Sizes',
    'Bytes, bundled and minified by esbuild, and gzipped:',
    table(['', 'minified', 'gzipped'], rows),
    '## Start of the Worker',
    `A fresh workerd sends its first response ${median.toFixed(1)} ms (${low.toFixed(1)} to ${high.toFixed(1)}) later with the Worker than with one that returns a constant.${profile}`,
  ]
}

/** Results by runtime, in the order of the report. */
function runtimeEntries({ runtimes }: Results): [Runtime, RuntimeResults][] {
  return (Object.keys(RUNTIME_NAMES) as Runtime[]).flatMap((runtime): [Runtime, RuntimeResults][] => {
    const results = runtimes[runtime]
    return results ? [[runtime, results]] : []
  })
}
