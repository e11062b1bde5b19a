import { isDate, toLocalText, toRelativeText, toUtcText } from '../clock.ts'

interface TimeLineProps {
  issuedAt: unknown
  expiresAt: unknown
  /** Seconds since the epoch. */
  now: number
}

/** Shows when a token was issued and when it expires, relative to now. */
export function TimeLine({ issuedAt, expiresAt, now }: TimeLineProps) {
  if (!isDate(expiresAt)) return null
  const start = isDate(issuedAt) ? issuedAt : undefined
  const points = [start ?? now, now, expiresAt]
  const [first, last] = [Math.min(...points), Math.max(...points)]
  const place = (time: number) => `${last === first ? 0 : ((time - first) / (last - first)) * 100}%`
  const isExpired = expiresAt <= now
  return (
    <section class={isExpired ? 'time-line expired' : 'time-line'} aria-label="Time line">
      <div class="bar" aria-hidden="true">
        <span
          class="life"
          style={{
            left: place(start ?? Math.min(now, expiresAt)),
            right: `calc(100% - ${place(expiresAt)})`,
          }}
        />
        {start !== undefined && <span class="mark" style={{ left: place(start) }} />}
        <span class="mark" style={{ left: place(expiresAt) }} />
        <span class="mark now" style={{ left: place(now) }} />
      </div>
      <dl>
        <Instant name="Issued" time={start} now={now} />
        <Instant name="Now" time={now} now={now} />
        <Instant name={isExpired ? 'Expired' : 'Expires'} time={expiresAt} now={now} />
      </dl>
    </section>
  )
}

function Instant({ name, time, now }: { name: string; time: number | undefined; now: number }) {
  return (
    <div>
      <dt>{name}</dt>
      {time === undefined ? (
        <dd>Not stated</dd>
      ) : (
        <dd>
          {name !== 'Now' && <b>{toRelativeText(time, now)}</b>}
          <span>{toLocalText(time)}</span>
          <span>{toUtcText(time)}</span>
        </dd>
      )}
    </div>
  )
}
