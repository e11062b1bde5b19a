import { inspectKey, type KeyInspection } from 'membrane-token'
import { useEffect, useState } from 'preact/hooks'

/** The type of a pasted text: a key set, a key, or other text, which may be a secret. */
export type PastedKey =
  | { kind: 'empty' }
  | { kind: 'other' }
  | { kind: 'jwks'; count: number }
  | { kind: 'key'; inspection: KeyInspection }

/** Reads a pasted key; `empty` until it is read. */
export function useKey(text: string): PastedKey {
  const [read, setRead] = useState<{ text: string; key: PastedKey }>()
  useEffect(() => {
    let isCurrent = true
    readKey(text).then((key) => {
      if (isCurrent) setRead({ text, key })
    })
    return () => {
      isCurrent = false
    }
  }, [text])
  return read?.text === text ? read.key : { kind: 'empty' }
}

async function readKey(text: string): Promise<PastedKey> {
  if (text === '') return { kind: 'empty' }
  const keys = readKeySet(text)
  if (keys) return { kind: 'jwks', count: keys.length }
  const inspection = await inspectKey(text)
  return isKey(inspection, text) ? { kind: 'key', inspection } : { kind: 'other' }
}

/** Whether the text is a key, or was meant to be one: a damaged or unsupported key has problems to show. */
function isKey({ format, problems }: KeyInspection, text: string): boolean {
  return (
    format !== 'unknown' ||
    problems.some(({ code }) => code !== 'ERR_KEY_INVALID') ||
    /-----BEGIN|^\s*\{/.test(text)
  )
}

function readKeySet(text: string): unknown[] | undefined {
  try {
    const { keys } = Object(JSON.parse(text)) as { keys?: unknown }
    return Array.isArray(keys) ? keys : undefined
  } catch {
    return undefined
  }
}

/** Describes a pasted text, such as `private key, PKCS#8 PEM, EC P-256`. */
export function describeKey(key: PastedKey): string {
  switch (key.kind) {
    case 'empty':
      return ''
    case 'other':
      return 'secret'
    case 'jwks':
      return `key set with ${key.count} ${key.count === 1 ? 'key' : 'keys'}`
    case 'key': {
      const { half, format, type, curve, bits } = key.inspection
      const name = half === 'unknown' ? 'key' : `${half} key`
      const strength = type === 'RSA' && bits ? `RSA ${bits} bits` : curve ? `${type} ${curve}` : type
      return [name, format === 'unknown' ? 'format not supported' : format, strength]
        .filter(Boolean)
        .join(', ')
    }
  }
}
