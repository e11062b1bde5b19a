/** What a missing value becomes when it is converted to text. Case-sensitive: `Null` is somebody's name. */
const MISSING: readonly string[] = ['undefined', 'null', 'NaN', '[object Object]']

/**
 * Whether a text is a placeholder that was never filled in: `undefined`, `null`, `NaN`, `[object Object]`,
 * `{UPPER_SNAKE}`, `<UPPER_SNAKE>`, `{{…}}` or `${…}`, as the whole text. A GUID in braces is a genuine id.
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
