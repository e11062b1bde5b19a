import type { Case, Runtime } from './cases.ts'
import { OURS, RAW } from './contenders.ts'
import { findCase, NAMES, type Results, rateOf, wording } from './results.ts'

type Panel = Pick<Case, 'algorithm' | 'atOnce'> & { runtime: Runtime; title: string }

/** Not only where ours is ahead: in Node, those that use its own `createHmac` are. */
const PANELS: readonly Panel[] = [
  { runtime: 'workerd', title: 'workerd', algorithm: 'HS512', atOnce: 1 },
  { runtime: 'workerd', title: 'workerd', algorithm: 'ES256', atOnce: 1 },
  { runtime: 'bun', title: 'Bun', algorithm: 'HS512', atOnce: 32 },
  { runtime: 'deno', title: 'Deno', algorithm: 'HS512', atOnce: 32 },
  { runtime: 'node', title: 'Node', algorithm: 'HS512', atOnce: 32 },
  { runtime: 'node', title: 'Node', algorithm: 'HS512', atOnce: 1 },
]

const [WIDTH, GAP, LABELS, FIGURES, LINE, HEAD] = [480, 40, 260, 60, 20, 34]

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

/** Tokens per second as bars: a picture that GitHub shows, in light and in dark. */
export function renderChart(results: Results): string {
  const panels = PANELS.map((panel) => ({ panel, bars: barsOf(panel, results) })).filter(
    ({ bars }) => bars.length > 0,
  )
  const height = HEAD + Math.max(0, ...panels.map(({ bars }) => bars.length)) * LINE + 24
  const rows = Math.ceil(panels.length / 2)
  const drawn = panels.map(({ panel, bars }, index) => {
    const [x, y] = [(index % 2) * (WIDTH + GAP), Math.floor(index / 2) * height]
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel, bars)}\n</g>`
  })
  const [width, total] = [2 * WIDTH + GAP, rows * height]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" role="img">
<title>Tokens signed per second, ${results.date}</title>
<style>
  ${STYLE}
</style>
${drawn.join('\n')}
</svg>
`
}

interface Bar {
  readonly name: string
  readonly rate: number
}

function barsOf({ runtime, algorithm, atOnce }: Panel, { runtimes }: Results): Bar[] {
  const results = runtimes[runtime]
  const measured = results && findCase(results, { task: 'sign', algorithm, atOnce, fields: 'small' })
  return NAMES.flatMap((name) => {
    const rate = rateOf(measured, name)
    return rate === undefined ? [] : [{ name, rate }]
  }).sort((a, b) => b.rate - a.rate)
}

function drawPanel({ title, algorithm, atOnce }: Panel, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ rate }) => rate))
  const lines = bars.map(({ name, rate }, index) => {
    const y = HEAD + index * LINE
    const length = Math.max(1, (rate / most) * (WIDTH - LABELS - FIGURES))
    const kind = name === OURS ? ' class="ours"' : name === RAW ? ' class="raw"' : ''
    const figure = Number(rate.toPrecision(3)).toLocaleString('en-US')
    return `<text${kind} x="${LABELS - 8}" y="${y + 12}" text-anchor="end">${name}</text>
<rect${kind} x="${LABELS}" y="${y}" width="${length.toFixed(1)}" height="15" rx="2"/>
<text${kind} x="${(LABELS + length + 6).toFixed(1)}" y="${y + 12}">${figure}</text>`
  })
  return `<text class="title" x="0" y="18">${title}, ${algorithm}, ${wording(atOnce)}: tokens per second</text>
${lines.join('\n')}`
}
