import { type Inspection, inspectToken } from 'membrane-token'
import { useNow } from '../clock.ts'
import { TextArea } from '../components/fields.tsx'
import { Problems } from '../components/problems.tsx'
import { findSessionProvider } from '../setup/providers.ts'
import { ClaimsTable } from './claims-table.tsx'
import { createExample } from './example.ts'
import { TimeLine } from './time-line.tsx'
import { VerifyForm } from './verify-form.tsx'

interface InspectViewProps {
  token: string
  onToken(token: string): void
  /** Opens the settings for the identity provider of a session. */
  onSetUp(session: string): void
}

/** Shows a token's contents and problems, and verifies it with a key. */
export function InspectView({ token, onToken, onSetUp }: InspectViewProps) {
  const milliseconds = useNow()
  const now = Math.floor(milliseconds / 1000)
  const inspection = token === '' ? undefined : inspectToken(token, { now: () => milliseconds })
  return (
    <div class="columns">
      <div>
        <section class="card" aria-labelledby="token-heading">
          <h2 id="token-heading">Token</h2>
          <TextArea
            label="Paste a token"
            value={token}
            onValue={onToken}
            rows={6}
            placeholder="eyJhbGciOi…"
            hint="Quotes, JSON, a URL or a header line around it are fine."
          />
          <p class="actions">
            <button type="button" onClick={async () => onToken(await createExample())}>
              Use an example
            </button>
          </p>
        </section>
        {inspection && <VerifyForm inspection={inspection} now={now} />}
      </div>
      <div>
        {inspection ? (
          <>
            <SessionNotice inspection={inspection} onSetUp={() => onSetUp(token)} />
            <Findings inspection={inspection} now={now} />
          </>
        ) : (
          <Introduction />
        )}
      </div>
    </div>
  )
}

function SessionNotice({ inspection, onSetUp }: { inspection: Inspection; onSetUp(): void }) {
  const provider = findSessionProvider(inspection)
  if (!provider) return null
  return (
    <section class="card notice" aria-labelledby="session-heading">
      <h2 id="session-heading">
        This is a session of {provider.id === 'oidc' ? 'an identity provider' : provider.label}
      </h2>
      <p>
        <code>{String(inspection.claims?.iss)}</code> issued it to sign a user in to your app. The token
        service verifies the session and returns a Membrane token for the customer.
      </p>
      <p class="actions after">
        <button type="button" onClick={onSetUp}>
          Set up the token service for it
        </button>
      </p>
    </section>
  )
}

function Introduction() {
  return (
    <section class="card quiet">
      <h2>What this page shows</h2>
      <ul>
        <li>The header and claims, with times in your time zone and in UTC</li>
        <li>Problems, in the order in which to fix them</li>
        <li>Whether a secret, a public key or a key set verifies it</li>
      </ul>
      <p>Nothing that you paste leaves this page: it cannot make network requests.</p>
    </section>
  )
}

const KINDS: Readonly<Record<Inspection['kind'], string>> = {
  customer: 'Customer token',
  admin: 'Admin token',
  unknown: 'Not a Membrane token',
}

function Findings({ inspection, now }: { inspection: Inspection; now: number }) {
  const { kind, problems, header, claims } = inspection
  const errors = problems.filter(({ severity }) => severity === 'error').length
  return (
    <>
      <section class="card" aria-labelledby="problems-heading">
        <h2 id="problems-heading">
          {KINDS[kind]} <Count errors={errors} warnings={problems.length - errors} />
        </h2>
        {problems.length > 0 ? (
          <Problems problems={problems} />
        ) : (
          <p>No problems found. Verify the signature to find out whether it is genuine.</p>
        )}
      </section>
      {claims && (
        <section class="card" aria-labelledby="claims-heading">
          <h2 id="claims-heading">Contents</h2>
          <TimeLine issuedAt={claims.iat} expiresAt={claims.exp} now={now} />
          <ClaimsTable caption="Claims" values={claims} now={now} />
          {header && <ClaimsTable caption="Header" values={header} now={now} />}
        </section>
      )}
      {!claims && header && (
        <section class="card" aria-labelledby="claims-heading">
          <h2 id="claims-heading">Contents</h2>
          <ClaimsTable caption="Header" values={header} now={now} />
        </section>
      )}
    </>
  )
}

function Count({ errors, warnings }: { errors: number; warnings: number }) {
  if (errors + warnings === 0) return <span class="tag good">no problems</span>
  return (
    <>
      {errors > 0 && <span class="tag error">{errors === 1 ? '1 error' : `${errors} errors`}</span>}{' '}
      {warnings > 0 && (
        <span class="tag warning">{warnings === 1 ? '1 warning' : `${warnings} warnings`}</span>
      )}
    </>
  )
}
