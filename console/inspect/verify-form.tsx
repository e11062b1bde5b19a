import type { Inspection } from 'membrane-token'
import { useEffect, useState } from 'preact/hooks'
import { toLocalText, toRelativeText } from '../clock.ts'
import { TextField } from '../components/fields.tsx'
import { KeyField } from '../keys/key-field.tsx'
import { type PastedKey, useKey } from '../keys/use-key.ts'
import { type KeyMaterial, type Verification, verifyToken } from './verification.ts'

function toMaterial(pasted: PastedKey, text: string): KeyMaterial | undefined {
  switch (pasted.kind) {
    case 'empty':
      return undefined
    case 'other':
      return { kind: 'secret', secret: text }
    case 'jwks':
      return { kind: 'jwks', text }
    case 'key': {
      const { half, publicJwk } = pasted.inspection
      return { kind: 'publicKey', publicKey: half === 'private' && publicJwk ? publicJwk : text }
    }
  }
}

/** Verifies the inspected token with a pasted key. */
export function VerifyForm({ inspection, now }: { inspection: Inspection; now: number }) {
  const [text, setText] = useState('')
  const [expected, setExpected] = useState('')
  const pasted = useKey(text)
  const { token, claims } = inspection
  const stated = claims?.iss ?? claims?.workspaceKey
  const workspaceKey = expected || (typeof stated === 'string' ? stated : '')
  const result = useVerification(token, workspaceKey, pasted, text)
  return (
    <section class="card" aria-labelledby="verify-heading">
      <h2 id="verify-heading">Verify the signature</h2>
      <KeyField
        label="Secret, public key or key set"
        text={text}
        onText={setText}
        pasted={pasted}
        hint="The workspace secret, a key as PEM, JWK or certificate, or the JSON of a key set."
        takesSecret
      />
      <TextField
        label="Workspace key (optional)"
        value={expected}
        onValue={setExpected}
        placeholder={typeof stated === 'string' ? stated : ''}
        hint="If empty, the workspace is not checked."
        mono
      />
      <div role="status">
        {result && (
          <Outcome
            result={result}
            now={now}
            isWorkspaceChecked={expected !== ''}
            isSecret={pasted.kind === 'other'}
          />
        )}
      </div>
    </section>
  )
}

function useVerification(
  token: string | undefined,
  workspaceKey: string,
  pasted: PastedKey,
  text: string,
): Verification | undefined {
  const [result, setResult] = useState<Verification>()
  useEffect(() => {
    let isCurrent = true
    setResult(undefined)
    const material = toMaterial(pasted, text)
    if (token && material) {
      verifyToken(token, workspaceKey || 'unknown', material).then((verification) => {
        if (isCurrent) setResult(verification)
      })
    }
    return () => {
      isCurrent = false
    }
  }, [token, workspaceKey, pasted, text])
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
  if (end <= now) {
    return (
      <div class="outcome bad">
        <p>
          <b>Expired</b> The signature is valid, but the token expired {toRelativeText(end, now)}.
        </p>
      </div>
    )
  }
  return (
    <div class="outcome good">
      <p>
        <b>Verified</b> with {token.algorithm}
      </p>
      <ul>
        <li>
          {isSecret ? 'It was signed with this secret' : 'It was signed with the private half of this key'},
          and has not been modified since.
        </li>
        <li>
          {token.kind === 'admin' ? (
            'It is an admin token: it can manage every customer of the workspace.'
          ) : (
            <>
              It is for customer <code>{token.id}</code>.
            </>
          )}
        </li>
        <li>
          The workspace is <code>{token.workspaceKey}</code>
          {isWorkspaceChecked ? ', as expected.' : '; enter its key to check it.'}
        </li>
        <li>
          It expires {toRelativeText(end, now)}, on {toLocalText(end)}.
        </li>
        <li>
          Membrane accepts it if {isSecret ? 'this is the secret' : 'this public key is registered'} in the
          settings of that workspace, which this page cannot check.
        </li>
      </ul>
    </div>
  )
}
