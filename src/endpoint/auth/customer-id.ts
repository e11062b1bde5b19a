// Exactly these texts, in this case.
const PLACEHOLDERS: readonly string[] = ['undefined', 'null', 'NaN', '[object Object]']

/** Why a text cannot be the id of a customer, as the end of a sentence; `undefined` if it can. */
export function describeIdProblem(id: string): string | undefined {
  if (id.trim() === '') return 'must not be blank'
  if (/\p{Cc}/u.test(id)) return 'must not contain control characters'
  const isTemplate =
    /^(\{[A-Z][A-Z0-9_]*\}|<[A-Z][A-Z0-9_]*>)$/.test(id) ||
    (id.startsWith('{{') && id.endsWith('}}') && id.length >= 4) ||
    (id.startsWith('${') && id.endsWith('}'))
  if (PLACEHOLDERS.includes(id) || isTemplate) return 'holds a placeholder instead of an id'
  return undefined
}
