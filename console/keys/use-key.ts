import { inspectKey, type KeyInspection } from 'membrane-token'
import { useEffect, useState } from 'preact/hooks'

/** What a pasted text is: a key set, a key, or a secret where `inspectKey` recognises no key. */
export type PastedKey =
  | { kind: 'empty' }
  | { kind: 'secret' }
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
  const isKey = inspection.format !== 'unknown' || /-----BEGIN|^\s*\{|^\s*ssh-/.test(text)
  return isKey ? { kind: 'key', inspection } : { kind: 'secret' }
}

function readKeySet(text: string): unknown[] | undefined {
  try {
    const { keys } = Object(JSON.parse(text)) as { keys?: unknown }
    return Array.isArray(keys) ? keys : undefined
  } catch {
    return undefined
  }
}

/** Such as `private key, PKCS#8 PEM, EC P-256`. */
export function describeKey(key: PastedKey): string {
  switch (key.kind) {
    case 'empty':
      return ''
    case 'secret':
      return 'secret'
    case 'jwks':
      return `key set with ${key.count} ${key.count === 1 ? 'key' : 'keys'}`
    case 'key': {
      const { half, format, type, curve, bits } = key.inspection
      const name = half === 'unknown' ? 'key' : `${half} key`
      const strength = type === 'RSA' && bits ? `RSA ${bits} bits` : curve ? `${type} ${curve}` : type
      return [name, format === 'unknown' ? 'form not supported' : format, strength].filter(Boolean).join(', ')
    }
  }
}
