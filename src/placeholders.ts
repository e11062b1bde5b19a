/** Missing values, converted to strings. Case-sensitive, because Null is also a name. */
const MISSING: readonly string[] = ['undefined', 'null', 'NaN', '[object Object]']

/**
 * Whether a string as a whole is a placeholder that was never filled in: `undefined`, `null`, `NaN`, `[object Object]`,
 * `{UPPER_SNAKE}`, `<UPPER_SNAKE>`, `{{…}}` or `${…}`. A GUID in braces is a valid id.
 */
export function isPlaceholder(text: string): boolean {
  switch (text[0]) {
    case '{':
      return (
        /^\{[A-Z][A-Z0-9_]*\}$/.test(text) ||
        (text.length >= 4 && text.startsWith('{{') && text.endsWith('}}'))
      )
    case '<':
      return /^<[A-Z][A-Z0-9_]*>$/.test(text)
    case '$':
      return text.startsWith('${') && text.endsWith('}')
    default:
      return MISSING.includes(text)
  }
}
