import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'

interface FieldProps {
  label: string
  value: string
  onValue(value: string): void
  hint?: ComponentChildren
  /** Describes why the value is invalid. */
  error?: string | undefined
  placeholder?: string
}

/** Prevents browsers and password managers from saving or correcting secrets. */
const PRIVATE = {
  autocomplete: 'off',
  autocapitalize: 'off',
  // Spelled so that it is set as an attribute: the property `autocorrect` is a boolean, and 'off' would be true.
  autoCorrect: 'off',
  spellcheck: false,
  'data-1p-ignore': true,
  'data-lpignore': 'true',
} as const

function describe(id: string, { hint, error }: Pick<FieldProps, 'hint' | 'error'>) {
  const ids = [error ? `${id}-error` : '', hint ? `${id}-hint` : ''].filter(Boolean)
  return ids.length > 0 ? { 'aria-describedby': ids.join(' ') } : {}
}

function Notes({ id, hint, error }: { id: string } & Pick<FieldProps, 'hint' | 'error'>) {
  return (
    <>
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </>
  )
}

interface TextFieldProps extends FieldProps {
  /** Whether to use a monospace font, for tokens, keys and code. */
  mono?: boolean
  suggestions?: readonly string[]
}

/** A single-line text field. */
export function TextField({
  label,
  value,
  onValue,
  hint,
  error,
  placeholder,
  mono,
  suggestions,
}: TextFieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...PRIVATE}
        {...describe(id, { hint, error })}
        id={id}
        type="text"
        class={mono ? 'mono' : undefined}
        value={value}
        placeholder={placeholder}
        aria-invalid={error ? 'true' : undefined}
        list={suggestions ? `${id}-list` : undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {suggestions && (
        <datalist id={`${id}-list`}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion} />
          ))}
        </datalist>
      )}
      <Notes id={id} hint={hint} error={error} />
    </div>
  )
}

interface TextAreaProps extends FieldProps {
  rows: number
  /** Shows dots instead of characters until revealed. */
  masked?: boolean
}

/** A multi-line field for tokens, keys or JSON. */
export function TextArea({ label, value, onValue, hint, error, placeholder, rows, masked }: TextAreaProps) {
  const id = useId()
  const [isShown, setShown] = useState(false)
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{label}</label>
        {masked && (
          <button type="button" class="link" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
            Show <span class="sr">{label}</span>
          </button>
        )}
      </div>
      <textarea
        {...PRIVATE}
        {...describe(id, { hint, error })}
        id={id}
        rows={rows}
        class={masked && !isShown && value ? 'mono masked' : 'mono'}
        value={value}
        placeholder={placeholder}
        aria-invalid={error ? 'true' : undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      <Notes id={id} hint={hint} error={error} />
    </div>
  )
}

export interface Option<Value extends string> {
  value: Value
  label: string
}

interface ChoiceProps<Value extends string> {
  label: string
  value: Value
  options: readonly Option<Value>[]
  onValue(value: NoInfer<Value>): void
  hint?: ComponentChildren
}

/** A drop-down list. */
export function Select<Value extends string>({ label, value, options, onValue, hint }: ChoiceProps<Value>) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        {...describe(id, { hint })}
        id={id}
        value={value}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.currentTarget.value)
          if (chosen) onValue(chosen.value)
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Notes id={id} hint={hint} />
    </div>
  )
}

/** A group of radio buttons. */
export function Radios<Value extends string>({ label, value, options, onValue, hint }: ChoiceProps<Value>) {
  const id = useId()
  return (
    <fieldset class="field" {...describe(id, { hint })}>
      <legend>{label}</legend>
      <div class="segments">
        {options.map((option) => (
          <label key={option.value} class="segment">
            <input
              type="radio"
              name={id}
              value={option.value}
              checked={option.value === value}
              onChange={() => onValue(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
      <Notes id={id} hint={hint} />
    </fieldset>
  )
}

interface CheckboxProps {
  label: string
  checked: boolean
  onChecked(checked: boolean): void
}

export function Checkbox({ label, checked, onChecked }: CheckboxProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChecked(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  )
}
