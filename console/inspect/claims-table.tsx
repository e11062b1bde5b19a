import type { ComponentChildren } from 'preact'
import { isDate, toLocalText, toRelativeText, toUtcText } from '../clock.ts'

interface ClaimsTableProps {
  caption: string
  values: Record<string, unknown>
  /** Seconds since the epoch. */
  now: number
}

/** Descriptions of header members and claims. */
const MEANINGS: Readonly<Record<string, string>> = {
  alg: 'Signature algorithm',
  typ: 'Type',
  kid: 'Key id',
  iss: 'Workspace, or issuer',
  workspaceKey: 'Workspace',
  id: 'Customer',
  tenantKey: 'Customer',
  name: 'Customer name',
  fields: 'Customer fields',
  isAdmin: 'Admin token',
  iat: 'Issued',
  exp: 'Expires',
  nbf: 'Not valid before',
  auth_time: 'Signed in',
  jti: 'Token id',
  sub: 'Subject',
  aud: 'Audience',
  azp: 'Authorized party',
}

const DATES = new Set(['iat', 'exp', 'nbf', 'auth_time'])

/** The members of a header or a claims set, with descriptions and readable dates. */
export function ClaimsTable({ caption, values, now }: ClaimsTableProps) {
  return (
    <table class="claims">
      <caption>{caption}</caption>
      <tbody>
        {Object.entries(values).map(([name, value]) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
              {Object.hasOwn(MEANINGS, name) && <span class="meaning">{MEANINGS[name]}</span>}
            </th>
            <td>
              <code class="value">{toJson(value)}</code>
              {DATES.has(name) && describeDate(value, now)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function describeDate(value: unknown, now: number): ComponentChildren {
  if (!isDate(value)) return <span class="date">Not a date</span>
  return (
    <span class="date">
      <b>{toRelativeText(value, now)}</b>
      <span>{toLocalText(value)}</span>
      <span>{toUtcText(value)}</span>
    </span>
  )
}

function toJson(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value, null, 2) : JSON.stringify(value)
}
