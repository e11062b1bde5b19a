import { inspectToken } from 'membrane-token'
import { useState } from 'preact/hooks'
import { CodeBlock } from '../components/code-block.tsx'
import { Radios, TextArea, TextField } from '../components/fields.tsx'
import { Tabs } from '../components/tabs.tsx'
import { ClaimPicker, readSample } from './claim-picker.tsx'
import { findSessionProvider, PROVIDERS, type Provider } from './providers.ts'
import {
  readSettings,
  type SetupForm,
  secretNames,
  toDoctorCommand,
  toEnvFile,
  toSecretCommands,
  toWranglerToml,
} from './settings.ts'

const CHOICES = PROVIDERS.map(({ id, label }) => ({ value: id, label }))

const KEYS = [
  { value: 'secret', label: 'Workspace secret' },
  { value: 'privateKey', label: 'Private key' },
] as const

const claimsOf = ({ claims }: Provider) => ({
  idClaim: claims.id,
  nameClaim: claims.name,
  fieldClaims: claims.fields,
})

interface SetupViewProps {
  session: string
  onSession(session: string): void
}

/** Generates the token service's settings from the values of an identity provider. */
export function SetupView({ session, onSession }: SetupViewProps) {
  const [id, setId] = useState('auth0')
  const provider = PROVIDERS.find((candidate) => candidate.id === id) ?? (PROVIDERS[0] as Provider)
  const [form, setForm] = useState<SetupForm>({
    values: {},
    usesPrivateKey: false,
    ...claimsOf(provider),
    allowedOrigins: '',
    expiresIn: '',
    serviceUrl: '',
  })
  const set = (change: Partial<SetupForm>) => setForm({ ...form, ...change })
  const choose = (chosen: Provider) => {
    setId(chosen.id)
    set({ values: {}, ...claimsOf(chosen) })
  }
  const inspection = session === '' ? undefined : inspectToken(session)
  const sample = inspection?.claims && readSample(inspection.claims)
  const recognized = inspection && findSessionProvider(inspection)
  return (
    <div class="columns">
      <div>
        <section class="card" aria-labelledby="provider-heading">
          <h2 id="provider-heading">Identity provider</h2>
          <Radios
            label="Who signs your users in?"
            value={id}
            options={CHOICES}
            onValue={(value) => choose(PROVIDERS.find((candidate) => candidate.id === value) ?? provider)}
          />
          <p class="note">{provider.note}</p>
          {provider.fields.map(({ name, label, placeholder }) => (
            <TextField
              key={`${id}-${name}`}
              label={label}
              value={form.values[name] ?? ''}
              onValue={(value) => set({ values: { ...form.values, [name]: value } })}
              placeholder={placeholder}
              mono
            />
          ))}
        </section>
        <section class="card" aria-labelledby="customer-heading">
          <h2 id="customer-heading">Customer</h2>
          <TextArea
            label="Sample session (optional)"
            value={session}
            onValue={onSession}
            rows={3}
            masked
            hint="Paste a session or access token from your app to choose claims from. It stays in this page."
            error={inspection && !sample ? 'This is not a token with readable claims.' : undefined}
          />
          {recognized && recognized.id !== id && (
            <p class="actions">
              <button type="button" onClick={() => choose(recognized)}>
                This is a session of {recognized.label}: use it
              </button>
            </p>
          )}
          {sample && <ClaimPicker {...sample} {...form} onPick={set} />}
          <div class="pair">
            <TextField
              label="Claim with the customer id"
              value={form.idClaim}
              onValue={(idClaim) => set({ idClaim })}
              mono
            />
            <TextField
              label="Claim with the name"
              value={form.nameClaim}
              onValue={(nameClaim) => set({ nameClaim })}
              mono
            />
          </div>
          <TextField
            label="Claims to pass as fields"
            value={form.fieldClaims}
            onValue={(fieldClaims) => set({ fieldClaims })}
            hint="Comma-separated; a dotted path reads nested claims."
            mono
          />
        </section>
      </div>
      <div>
        <section class="card" aria-labelledby="service-heading">
          <h2 id="service-heading">Token service</h2>
          <Radios
            label="Sign with"
            value={form.usesPrivateKey ? 'privateKey' : 'secret'}
            options={KEYS}
            onValue={(value) => set({ usesPrivateKey: value === 'privateKey' })}
          />
          <div class="pair">
            <TextField
              label="Origins of your app"
              value={form.allowedOrigins}
              onValue={(allowedOrigins) => set({ allowedOrigins })}
              placeholder="https://app.example.com"
              hint="If empty, the same origin only"
              mono
            />
            <TextField
              label="Token lifetime"
              value={form.expiresIn}
              onValue={(expiresIn) => set({ expiresIn })}
              placeholder="2h"
              mono
            />
          </div>
          <TextField
            label="URL of the service"
            value={form.serviceUrl}
            onValue={(serviceUrl) => set({ serviceUrl })}
            placeholder="https://membrane-token.example.workers.dev"
            mono
          />
        </section>
        <section class="card" aria-labelledby="settings-heading">
          <h2 id="settings-heading">Settings</h2>
          <Output provider={provider} form={form} />
        </section>
      </div>
    </div>
  )
}

function Output({ provider, form }: { provider: Provider; form: SetupForm }) {
  const [selected, setSelected] = useState<'toml' | 'env'>('toml')
  const settings = readSettings(provider, form)
  const secrets = secretNames(form)
  return (
    <>
      <Tabs
        label="Settings format"
        selected={selected}
        onSelect={setSelected}
        tabs={[
          {
            name: 'toml',
            label: 'Cloudflare Workers',
            panel: (
              <>
                <CodeBlock name="wrangler.toml" text={toWranglerToml(settings)} />
                <CodeBlock name="Secrets" text={toSecretCommands(secrets)} />
              </>
            ),
          },
          {
            name: 'env',
            label: 'Node, Deno, Bun',
            panel: <CodeBlock name=".env" text={toEnvFile(settings, secrets)} />,
          },
        ]}
      />
      <CodeBlock name="Check the deployment" text={toDoctorCommand(form)} />
    </>
  )
}
