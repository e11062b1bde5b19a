import { type Algorithm, generateKeyPair, inspectToken, type KeyPair } from 'membrane-token'
import { useState } from 'preact/hooks'
import { useNow } from '../clock.ts'
import { CodeBlock } from '../components/code-block.tsx'
import { Checkbox, type Option, Radios, Select, TextArea, TextField } from '../components/fields.tsx'
import { Tabs } from '../components/tabs.tsx'
import { ClaimsTable } from '../inspect/claims-table.tsx'
import { describeError } from '../inspect/verification.ts'
import { KeyField } from '../keys/key-field.tsx'
import { type PastedKey, useKey } from '../keys/use-key.ts'
import { type SignForm, signToken } from './sign-token.ts'
import { curlCommand, sdkProgram } from './snippets.ts'

type Result = { token: string } | { code: string; message: string }

const KINDS: readonly Option<SignForm['kind']>[] = [
  { value: 'customer', label: 'Customer token' },
  { value: 'admin', label: 'Admin token' },
]

const STYLES: readonly Option<SignForm['claimStyle']>[] = [
  { value: 'issuer', label: 'iss and id' },
  { value: 'workspaceKey', label: 'workspaceKey and id' },
  { value: 'tenant', label: 'workspaceKey and tenantKey' },
]

const SECRET_ALGORITHMS: readonly Algorithm[] = ['HS256', 'HS384', 'HS512']

interface SignViewProps {
  form: SignForm
  onForm(form: SignForm): void
  onInspect(token: string): void
}

/** Signs a test token with a key that stays in the page. */
export function SignView({ form, onForm, onInspect }: SignViewProps) {
  const [result, setResult] = useState<Result>()
  const [pair, setPair] = useState<KeyPair>()
  const pasted = useKey(form.key)
  const set = (change: Partial<SignForm>) => {
    setResult(undefined)
    onForm({ ...form, ...change })
  }
  const sign = async (event: Event) => {
    event.preventDefault()
    try {
      setResult(await signToken(form, pasted))
    } catch (error) {
      setResult(describeError(error))
    }
  }
  const generatePair = async () => {
    const generated = await generateKeyPair('ES256')
    setPair(generated)
    set({ key: generated.privateKey, algorithm: '' })
  }
  const isGenerated = pair !== undefined && pair.privateKey === form.key
  return (
    <div class="columns">
      <form class="card" onSubmit={sign} autocomplete="off" aria-labelledby="sign-heading">
        <h2 id="sign-heading">Sign a token</h2>
        <Radios label="Kind" value={form.kind} options={KINDS} onValue={(kind) => set({ kind })} />
        <TextField
          label="Workspace key"
          value={form.workspaceKey}
          onValue={(workspaceKey) => set({ workspaceKey })}
          mono
        />
        <KeyField
          label="Workspace secret or private key"
          text={form.key}
          onText={(key) => set({ key, algorithm: '' })}
          pasted={pasted}
          hint="It stays in this page."
          takesSecret
        />
        <p class="actions">
          <button type="button" onClick={generatePair}>
            Make a key pair
          </button>
        </p>
        {isGenerated && <CodeBlock name="Public key for Membrane" text={pair.publicKey} />}
        {form.kind === 'customer' && <CustomerFields form={form} set={set} />}
        <Options form={form} set={set} pasted={pasted} />
        <p class="actions">
          <button type="submit" class="main">
            Sign
          </button>
        </p>
      </form>
      <div role="status">
        {result ? <SignResult result={result} onInspect={onInspect} /> : <Introduction kind={form.kind} />}
      </div>
    </div>
  )
}

interface PartProps {
  form: SignForm
  set(change: Partial<SignForm>): void
}

function CustomerFields({ form, set }: PartProps) {
  return (
    <div class="group">
      <div class="pair">
        <TextField label="Customer id" value={form.id} onValue={(id) => set({ id })} mono />
        <TextField label="Customer name" value={form.name} onValue={(name) => set({ name })} />
      </div>
      <TextArea
        label="Fields as JSON"
        value={form.fields}
        onValue={(fields) => set({ fields })}
        rows={2}
        placeholder={'{ "plan": "trial" }'}
        hint="Membrane saves them with the customer."
      />
    </div>
  )
}

function Options({ form, set, pasted }: PartProps & { pasted: PastedKey }) {
  const algorithms = pasted.kind === 'key' ? pasted.inspection.algorithms : SECRET_ALGORITHMS
  const choices: Option<SignForm['algorithm']>[] = [
    { value: '', label: 'Default for the key' },
    ...algorithms.map((algorithm) => ({ value: algorithm, label: algorithm })),
  ]
  return (
    <details class="options">
      <summary>Options</summary>
      <div class="pair">
        <TextField
          label="Expires in"
          value={form.expiresIn}
          onValue={(expiresIn) => set({ expiresIn })}
          hint="90s, 30m, 2h, 7d, or seconds"
          mono
        />
        <Select
          label="Algorithm"
          value={form.algorithm}
          options={choices}
          onValue={(algorithm) => set({ algorithm })}
        />
        <Select
          label="Claims"
          value={form.claimStyle}
          options={STYLES}
          onValue={(claimStyle) => set({ claimStyle })}
        />
        <TextField label="Key id (kid)" value={form.keyId} onValue={(keyId) => set({ keyId })} mono />
        <TextField label="Token id (jti)" value={form.jwtId} onValue={(jwtId) => set({ jwtId })} mono />
      </div>
      {pasted.kind === 'key' ? (
        <Checkbox
          label="Use the thumbprint of the key as its key id"
          checked={form.usesThumbprint}
          onChecked={(usesThumbprint) => set({ usesThumbprint })}
        />
      ) : (
        <Checkbox
          label="Allow a secret shorter than 32 bytes"
          checked={form.allowsShortSecret}
          onChecked={(allowsShortSecret) => set({ allowsShortSecret })}
        />
      )}
    </details>
  )
}

function SignResult({ result, onInspect }: { result: Result; onInspect(token: string): void }) {
  const now = Math.floor(useNow() / 1000)
  if (!('token' in result)) {
    return (
      <section class="card" aria-labelledby="signed-heading">
        <h2 id="signed-heading">Not signed</h2>
        <div class="outcome bad">
          <p>
            <code>{result.code}</code>
          </p>
          <p>{result.message}</p>
        </div>
      </section>
    )
  }
  const { token } = result
  const { claims, header } = inspectToken(token)
  return (
    <>
      <section class="card" aria-labelledby="signed-heading">
        <h2 id="signed-heading">Signed token</h2>
        <CodeBlock name="Token" text={token} wrap />
        <p class="actions after">
          <button type="button" onClick={() => onInspect(token)}>
            Inspect this token
          </button>
        </p>
        {claims && <ClaimsTable caption="Claims" values={claims} now={now} />}
        {header && <ClaimsTable caption="Header" values={header} now={now} />}
      </section>
      <section class="card" aria-labelledby="use-heading">
        <h2 id="use-heading">Use it</h2>
        <Snippets token={token} />
      </section>
    </>
  )
}

function Snippets({ token }: { token: string }) {
  const [selected, setSelected] = useState<'curl' | 'sdk'>('curl')
  return (
    <Tabs
      label="Ways to use the token"
      selected={selected}
      onSelect={setSelected}
      tabs={[
        { name: 'curl', label: 'curl', panel: <CodeBlock name="Terminal" text={curlCommand(token)} wrap /> },
        { name: 'sdk', label: 'SDK', panel: <CodeBlock name="JavaScript" text={sdkProgram(token)} wrap /> },
      ]}
    />
  )
}

function Introduction({ kind }: { kind: SignForm['kind'] }) {
  return (
    <section class="card quiet">
      <h2>For tests</h2>
      <p>
        {kind === 'admin'
          ? 'An admin token can manage every customer of the workspace. Use it in your own terminal, never in a browser app.'
          : 'A customer token lets its holder act as that customer. Membrane creates a customer for every new id.'}
      </p>
      <p>In production, sign tokens on a server that authenticates the caller.</p>
    </section>
  )
}
