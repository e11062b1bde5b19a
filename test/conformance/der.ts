/** DER encoding for the key formats, independent of `src/`. */

export type Bytes = Uint8Array<ArrayBuffer>

export function concat(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

function tagged(tag: number, ...contents: readonly Bytes[]): Bytes {
  const body = concat(...contents)
  return concat(Uint8Array.of(tag, ...lengthOf(body)), body)
}

function lengthOf(body: Bytes): number[] {
  if (body.length < 0x80) return [body.length]
  if (body.length < 0x100) return [0x81, body.length]
  return [0x82, body.length >> 8, body.length & 0xff]
}

export function sequence(...contents: readonly Bytes[]): Bytes {
  return tagged(0x30, ...contents)
}

export function set(...contents: readonly Bytes[]): Bytes {
  return tagged(0x31, ...contents)
}

/** The constructed, explicit context tag `[number]`. */
export function context(number: number, ...contents: readonly Bytes[]): Bytes {
  return tagged(0xa0 | number, ...contents)
}

export function octets(content: Bytes): Bytes {
  return tagged(0x04, content)
}

export function bits(content: Bytes): Bytes {
  return tagged(0x03, Uint8Array.of(0), content)
}

export function nothing(): Bytes {
  return tagged(0x05)
}

export function text(value: string): Bytes {
  return tagged(0x0c, new TextEncoder().encode(value))
}

export function utcTime(value: string): Bytes {
  return tagged(0x17, new TextEncoder().encode(value))
}

/** A non-negative INTEGER from a small number or from big-endian bytes. */
export function integer(value: number | Bytes): Bytes {
  const bytes = typeof value === 'number' ? Uint8Array.of(value) : value
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const magnitude = bytes.slice(start)
  const negative = (magnitude[0] ?? 0) >= 0x80
  return tagged(0x02, negative ? concat(Uint8Array.of(0), magnitude) : magnitude)
}

export function objectId(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift((rest & 0x7f) | 0x80)
  }
  return digits
}
