import type { ComponentChildren } from 'preact'
import { TextArea } from '../components/fields.tsx'
import { describeKey, type PastedKey } from './use-key.ts'

interface KeyFieldProps {
  label: string
  text: string
  onText(text: string): void
  pasted: PastedKey
  hint: ComponentChildren
  /** Whether to treat text that is not a key as a secret. */
  takesSecret?: boolean
}

/** A field for a key or a secret, which shows what the text was recognized as. */
export function KeyField({ label, text, onText, pasted, hint, takesSecret = false }: KeyFieldProps) {
  const isPublic = pasted.kind === 'jwks' || (pasted.kind === 'key' && pasted.inspection.half === 'public')
  const isSecret = pasted.kind === 'other'
  const description = isSecret && !takesSecret ? '' : describeKey(pasted)
  return (
    <TextArea
      label={label}
      value={text}
      onValue={onText}
      rows={4}
      masked={!isPublic}
      hint={
        description ? (
          <>
            Read as: <b>{description}</b>
          </>
        ) : (
          hint
        )
      }
      error={
        isSecret && takesSecret && text !== text.trim()
          ? 'The secret begins or ends with a space or a line break, which counts as part of it.'
          : undefined
      }
    />
  )
}
