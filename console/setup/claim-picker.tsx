/** A claim to choose from: its dotted path, and its value in the sample. */
export interface SampleClaim {
  path: string
  value: unknown
}

/** The claims of a sample session to choose from. */
export interface Sample {
  claims: readonly SampleClaim[]
  /** Whether some claims are not listed, because there are too many or they are nested too deeply. */
  isTruncated: boolean
}

const MAX_CLAIMS = 30
const MAX_DEPTH = 4
const MAX_VALUE_LENGTH = 160

/** Protocol claims, which do not describe a customer. */
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

/** Reads the claims of a sample session that can describe a customer, up to a limit. */
export function readSample(claims: Record<string, unknown>): Sample {
  const found: SampleClaim[] = []
  let isTruncated = false
  const collect = (object: object, path: string, depth: number): void => {
    for (const [name, value] of Object.entries(object)) {
      if (depth === 1 && PROTOCOL.has(name)) continue
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      if (found.length === MAX_CLAIMS || (isObject && depth === MAX_DEPTH)) {
        isTruncated = true
        return
      }
      if (isObject) collect(value, `${path}${name}.`, depth + 1)
      else found.push({ path: path + name, value })
    }
  }
  collect(claims, '', 1)
  return { claims: found, isTruncated }
}

function toShortJson(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text
}

interface ClaimPickerProps extends Sample {
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

/** The claims of the sample, with buttons to assign them. */
export function ClaimPicker({
  claims,
  isTruncated,
  idClaim,
  nameClaim,
  fieldClaims,
  onPick,
}: ClaimPickerProps) {
  const fields = toList(fieldClaims)
  const toggleField = (path: string) =>
    (fields.includes(path) ? fields.filter((field) => field !== path) : [...fields, path]).join(', ')
  if (claims.length === 0) return null
  return (
    <>
      <table class="claims picker">
        <caption>Choose how to use each claim</caption>
        <tbody>
          {claims.map(({ path, value }) => (
            <tr key={path}>
              <th scope="row">
                <code>{path}</code>
              </th>
              <td>
                <code class="value">{toShortJson(value)}</code>
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
      {isTruncated && (
        <p class="note">This sample has more claims than are listed. Type their names below.</p>
      )}
    </>
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
