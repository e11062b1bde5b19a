/** A link to documentation about a problem. */
export interface Reference {
  label: string
  url: string
}

const rfc = (number: number, section: string): Reference => ({
  label: `RFC ${number}, section ${section}`,
  url: `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`,
})

const MEMBRANE: Reference = {
  label: 'Membrane: authentication',
  url: 'https://docs.getmembrane.com/docs/authentication',
}

/** References by prefix of the problem's code; the first match is used. */
const REFERENCES: readonly [prefix: string, reference: Reference][] = [
  ['BEARER', rfc(6750, '2.1')],
  ['URL', rfc(6750, '2')],
  ['ENCRYPTED', rfc(7516, '3')],
  ['TRUNCATED', rfc(7515, '3.1')],
  ['NOT_BASE64URL', rfc(7515, '2')],
  ['NOT_JSON', rfc(7519, '7.2')],
  ['ALGORITHM_NONE', rfc(8725, '3.2')],
  ['ALGORITHM', rfc(7518, '3.1')],
  ['CRITICAL', rfc(7515, '4.1.11')],
  ['SIGNATURE_DER', rfc(7518, '3.4')],
  ['SIGNATURE', rfc(7518, '3.1')],
  ['EXP', rfc(7519, '4.1.4')],
  ['LIFETIME', rfc(7519, '4.1.4')],
  ['IAT', rfc(7519, '4.1.6')],
  ['NBF', rfc(7519, '4.1.5')],
  ['WORKSPACE', MEMBRANE],
  ['CUSTOMER', MEMBRANE],
  ['ADMIN', MEMBRANE],
  ['NAME', MEMBRANE],
  ['FIELDS', MEMBRANE],
  ['PLACEHOLDER', MEMBRANE],
  ['IDENTITY_PROVIDER', MEMBRANE],
  ['PERSONAL', MEMBRANE],
]

/** Finds the reference for a problem of `inspectToken`. */
export function referenceFor(code: string): Reference {
  return REFERENCES.find(([prefix]) => code.startsWith(prefix))?.[1] ?? rfc(7515, '7.1')
}
