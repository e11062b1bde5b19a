import type { Case, Runtime } from './cases.ts'
import { OURS, RAW } from './contenders.ts'
import { concurrencyText, findCase, NAMES, type Results, rateOf } from './results.ts'

type Panel = Pick<Case, 'algorithm' | 'concurrency'> & { runtime: Runtime; title: string }

/** Includes cases in which other libraries are faster: on Node, the ones that call its synchronous `createHmac`. */
const PANELS: readonly Panel[] = [
  { runtime: 'workerd', title: 'workerd', algorithm: 'HS512', concurrency: 1 },
  { runtime: 'workerd', title: 'workerd', algorithm: 'ES256', concurrency: 1 },
  { runtime: 'bun', title: 'Bun', algorithm: 'HS512', concurrency: 32 },
  { runtime: 'deno', title: 'Deno', algorithm: 'HS512', concurrency: 32 },
  { runtime: 'node', title: 'Node', algorithm: 'HS512', concurrency: 32 },
  { runtime: 'node', title: 'Node', algorithm: 'HS512', concurrency: 1 },
]

const PANEL_WIDTH = 480
const PANEL_GAP = 40
const LABEL_WIDTH = 260
const VALUE_WIDTH = 60
const ROW_HEIGHT = 20
const TITLE_HEIGHT = 34

const STYLE = `text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .ours { font-weight: 600 }
  rect { fill: #8c959f }
  rect.ours { fill: #0969da }
  rect.raw { fill: #d0d7de }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    rect { fill: #6e7681 }
    rect.ours { fill: #4493f8 }
    rect.raw { fill: #3d444d }
  }`

/** A bar chart of tokens per second, as an SVG for GitHub's light and dark themes. */
export function renderChart(results: Results): string {
  const panels = PANELS.map((panel) => ({ panel, bars: barsOf(panel, results) })).filter(
    ({ bars }) => bars.length > 0,
  )
  const height = TITLE_HEIGHT + Math.max(0, ...panels.map(({ bars }) => bars.length)) * ROW_HEIGHT + 24
  const rows = Math.ceil(panels.length / 2)
  const groups = panels.map(({ panel, bars }, index) => {
    const [x, y] = [(index % 2) * (PANEL_WIDTH + PANEL_GAP), Math.floor(index / 2) * height]
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel, bars)}\n</g>`
  })
  const [totalWidth, totalHeight] = [2 * PANEL_WIDTH + PANEL_GAP, rows * height]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${totalWidth} ${totalHeight}" width="${totalWidth}" height="${totalHeight}" role="img">
<title>Tokens signed per second, ${results.date}</title>
<style>
  ${STYLE}
</style>
${groups.join('\n')}
</svg>
`
}

interface Bar {
  readonly name: string
  readonly rate: number
}

function barsOf({ runtime, algorithm, concurrency }: Panel, { runtimes }: Results): Bar[] {
  const results = runtimes[runtime]
  const measured = results && findCase(results, { task: 'sign', algorithm, concurrency, fields: 'small' })
  return NAMES.flatMap((name) => {
    const rate = rateOf(measured, name)
    return rate === undefined ? [] : [{ name, rate }]
  }).sort((a, b) => b.rate - a.rate)
}

function drawPanel({ title, algorithm, concurrency }: Panel, bars: readonly Bar[]): string {
  const highest = Math.max(...bars.map(({ rate }) => rate))
  const rows = bars.map(({ name, rate }, index) => {
    const y = TITLE_HEIGHT + index * ROW_HEIGHT
    const length = Math.max(1, (rate / highest) * (PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH))
    const classAttribute = name === OURS ? ' class="ours"' : name === RAW ? ' class="raw"' : ''
    const value = Number(rate.toPrecision(3)).toLocaleString('en-US')
    return `<text${classAttribute} x="${LABEL_WIDTH - 8}" y="${y + 12}" text-anchor="end">${name}</text>
<rect${classAttribute} x="${LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="15" rx="2"/>
<text${classAttribute} x="${(LABEL_WIDTH + length + 6).toFixed(1)}" y="${y + 12}">${value}</text>`
  })
  return `<text class="title" x="0" y="18">${title}, ${algorithm}, ${concurrencyText(concurrency)}: tokens per second</text>
${rows.join('\n')}`
}
