import { useEffect, useState } from 'preact/hooks'

/** Copies a text and shows whether that succeeded. */
export function CopyButton({ text, name }: { text: string; name: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  useEffect(() => {
    if (state === 'idle') return
    const timer = setTimeout(() => setState('idle'), 2000)
    return () => clearTimeout(timer)
  }, [state])
  const copy = async () => setState((await copyText(text)) ? 'copied' : 'failed')
  return (
    <>
      <button type="button" class="copy" onClick={copy}>
        {LABELS[state]} <span class="sr">{name}</span>
      </button>
      <span class="sr" role="status">
        {state === 'idle' ? '' : `${name}: ${LABELS[state]}`}
      </span>
    </>
  )
}

const LABELS = { idle: 'Copy', copied: 'Copied', failed: 'Not allowed' } as const

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}
