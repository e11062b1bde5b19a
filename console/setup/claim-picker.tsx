import { inspectToken } from 'membrane-token'

/** A claim that can be chosen: its dotted path, and its value in the sample. */
export interface SampleClaim {
  path: string
  value: unknown
}

const PROTOCOL = new Set([
  'iss',
  'aud',
  'azp',
  'exp',
  'iat',
  'nbf',
  'jti',
  'nonce',
  'at_hash',
  'typ',
  'auth_time',
])

/** The claims of a sample session that can say something about a customer. */
export function readSample(session: string): SampleClaim[] | undefined {
  if (session === '') return []
  const { claims } = inspectToken(session)
  return claims && flatten(claims, '').filter(({ path }) => !PROTOCOL.has(path))
}

function flatten(claims: object, prefix: string): SampleClaim[] {
  return Object.entries(claims).flatMap(([name, value]) => {
    const path = prefix + name
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? flatten(value, `${path}.`) : [{ path, value }]
  })
}

interface ClaimPickerProps {
  claims: readonly SampleClaim[]
  idClaim: string
  nameClaim: string
  fieldClaims: string
  onPick(change: { idClaim?: string; nameClaim?: string; fieldClaims?: string }): void
}

const toList = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)

/** The claims of the sample, each to be clicked for what it is. */
export function ClaimPicker({ claims, idClaim, nameClaim, fieldClaims, onPick }: ClaimPickerProps) {
  const fields = toList(fieldClaims)
  const toggleField = (path: string) =>
    (fields.includes(path) ? fields.filter((field) => field !== path) : [...fields, path]).join(', ')
  return (
    <table class="claims picker">
      <caption>Choose what each claim is</caption>
      <tbody>
        {claims.map(({ path, value }) => (
          <tr key={path}>
            <th scope="row">
              <code>{path}</code>
            </th>
            <td>
              <code class="value">{JSON.stringify(value)}</code>
              <p class="picks">
                <Pick
                  name="Customer id"
                  path={path}
                  isChosen={path === idClaim}
                  onPick={() => onPick({ idClaim: path })}
                />
                <Pick
                  name="Name"
                  path={path}
                  isChosen={path === nameClaim}
                  onPick={() => onPick({ nameClaim: path === nameClaim ? '' : path })}
                />
                <Pick
                  name="Field"
                  path={path}
                  isChosen={fields.includes(path)}
                  onPick={() => onPick({ fieldClaims: toggleField(path) })}
                />
              </p>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface PickProps {
  name: string
  path: string
  isChosen: boolean
  onPick(): void
}

function Pick({ name, path, isChosen, onPick }: PickProps) {
  return (
    <button type="button" aria-pressed={isChosen} onClick={onPick}>
      {name} <span class="sr">from {path}</span>
    </button>
  )
}
