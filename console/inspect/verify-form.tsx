import type { Inspection } from 'membrane-token'
import { useEffect, useState } from 'preact/hooks'
import { toLocalText, toRelativeText } from '../clock.ts'
import { type Option, Radios, TextArea, TextField } from '../components/fields.tsx'
import { type KeyMaterial, type Verification, verifyToken } from './verification.ts'

const KINDS: readonly Option<KeyMaterial['kind']>[] = [
  { value: 'secret', label: 'Secret' },
  { value: 'publicKey', label: 'Public key' },
  { value: 'jwks', label: 'Key set' },
]

const LABELS: Readonly<Record<KeyMaterial['kind'], string>> = {
  secret: 'Workspace secret',
  publicKey: 'Key',
  jwks: 'JSON of the key set',
}

const HINTS: Readonly<Record<KeyMaterial['kind'], string>> = {
  secret: 'The workspace secret, exactly as the settings page shows it.',
  publicKey: 'PEM, JWK or X.509 certificate.',
  jwks: 'The JSON of a key set, such as /.well-known/jwks.json.',
}

const toMaterial = (kind: KeyMaterial['kind'], text: string): KeyMaterial =>
  kind === 'secret'
    ? { kind, secret: text }
    : kind === 'jwks'
      ? { kind, text }
      : { kind: 'publicKey', publicKey: text }

/** Verifies the inspected token with a key that is pasted here. */
export function VerifyForm({ inspection, now }: { inspection: Inspection; now: number }) {
  const [kind, setKind] = useState<KeyMaterial['kind']>('secret')
  const [key, setKey] = useState('')
  const [expected, setExpected] = useState('')
  const { token, claims } = inspection
  const stated = claims?.iss ?? claims?.workspaceKey
  const workspaceKey = expected || (typeof stated === 'string' ? stated : '')
  const result = useVerification(token, workspaceKey, kind, key)
  return (
    <section class="card" aria-labelledby="verify-heading">
      <h2 id="verify-heading">Verify the signature</h2>
      <Radios label="With" value={kind} options={KINDS} onValue={setKind} />
      <TextArea
        label={LABELS[kind]}
        value={key}
        onValue={setKey}
        rows={3}
        masked={kind === 'secret'}
        hint={HINTS[kind]}
        error={
          kind === 'secret' && key !== key.trim()
            ? 'The secret begins or ends with a space or a line break, which counts as part of it.'
            : undefined
        }
      />
      <TextField
        label="Workspace key (optional)"
        value={expected}
        onValue={setExpected}
        placeholder={typeof stated === 'string' ? stated : ''}
        hint="If empty, the workspace that the token names is accepted."
        mono
      />
      <div role="status">
        {result && (
          <Outcome
            result={result}
            now={now}
            isWorkspaceChecked={expected !== ''}
            isSecret={kind === 'secret'}
          />
        )}
      </div>
    </section>
  )
}

function useVerification(
  token: string | undefined,
  workspaceKey: string,
  kind: KeyMaterial['kind'],
  key: string,
): Verification | undefined {
  const [result, setResult] = useState<Verification>()
  useEffect(() => {
    let isCurrent = true
    setResult(undefined)
    if (token && key) {
      verifyToken(token, workspaceKey || 'unknown', toMaterial(kind, key)).then((verification) => {
        if (isCurrent) setResult(verification)
      })
    }
    return () => {
      isCurrent = false
    }
  }, [token, workspaceKey, kind, key])
  return result
}

interface OutcomeProps {
  result: Verification
  now: number
  isWorkspaceChecked: boolean
  isSecret: boolean
}

function Outcome({ result, now, isWorkspaceChecked, isSecret }: OutcomeProps) {
  if (!result.isVerified) {
    return (
      <div class="outcome bad">
        <p>
          <b>Not verified</b> <code>{result.code}</code>
        </p>
        <p>{result.message}</p>
      </div>
    )
  }
  const { token } = result
  const end = token.expiresAt.getTime() / 1000
  return (
    <div class="outcome good">
      <p>
        <b>Verified</b> with {token.algorithm}
        {token.keyId !== undefined && (
          <>
            , key <code>{token.keyId}</code>
          </>
        )}
      </p>
      <ul>
        <li>
          {isSecret ? 'Whoever signed it has this secret' : 'It was signed with the private half of this key'}
          , and nothing was changed since.
        </li>
        <li>
          {token.kind === 'admin' ? (
            'It is an admin token: it can manage every customer of the workspace.'
          ) : (
            <>
              It is for the customer <code>{token.id}</code>.
            </>
          )}
        </li>
        <li>
          The workspace is <code>{token.workspaceKey}</code>
          {isWorkspaceChecked ? ', as expected.' : ', which was not compared with anything.'}
        </li>
        <li>
          It expires {toRelativeText(end, now)}, on {toLocalText(end)}.
        </li>
        <li>
          Membrane accepts it if {isSecret ? 'this is the secret' : 'this public key is registered'} in the
          settings of that workspace. This page cannot check that.
        </li>
      </ul>
    </div>
  )
}
