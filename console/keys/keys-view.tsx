import { type Algorithm, generateKeyPair, type KeyInspection, type KeyPair } from 'membrane-token'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { CodeBlock } from '../components/code-block.tsx'
import { type Option, Select } from '../components/fields.tsx'
import { describeError } from '../inspect/verification.ts'
import { Destinations } from './destinations.tsx'
import { KeyField } from './key-field.tsx'
import { describeKey, type PastedKey, useKey } from './use-key.ts'

const ALGORITHMS: readonly Option<Algorithm>[] = [
  { value: 'ES256', label: 'ES256: EC P-256, short and fast' },
  { value: 'ES384', label: 'ES384: EC P-384' },
  { value: 'ES512', label: 'ES512: EC P-521' },
  { value: 'RS256', label: 'RS256: RSA 2048 bits' },
  { value: 'PS256', label: 'PS256: RSA 2048 bits, PSS' },
]

/** Identifies keys, generates key pairs, and shows where each part goes. */
export function KeysView({ onSign }: { onSign(privateKey: string): void }) {
  const [text, setText] = useState('')
  const pasted = useKey(text)
  return (
    <div class="columns">
      <div>
        <section class="card" aria-labelledby="key-heading">
          <h2 id="key-heading">What is this key?</h2>
          <KeyField
            label="Paste a key"
            text={text}
            onText={setText}
            pasted={pasted}
            hint="PEM, JWK, base64 DER or certificate; private or public."
          />
        </section>
        <GeneratePair onSign={onSign} />
      </div>
      <div>
        <div role="status">
          <KeyReport pasted={pasted} />
        </div>
        <Destinations />
      </div>
    </div>
  )
}

function GeneratePair({ onSign }: { onSign(privateKey: string): void }) {
  const [algorithm, setAlgorithm] = useState<Algorithm>('ES256')
  const [pair, setPair] = useState<KeyPair>()
  const [message, setMessage] = useState('')
  const generate = async () => {
    try {
      setMessage('')
      setPair(await generateKeyPair(algorithm))
    } catch (error) {
      setMessage(describeError(error).message)
    }
  }
  return (
    <section class="card" aria-labelledby="pair-heading">
      <h2 id="pair-heading">Make a key pair</h2>
      <Select label="For the algorithm" value={algorithm} options={ALGORITHMS} onValue={setAlgorithm} />
      <p class="actions after">
        <button type="button" class="main" onClick={generate}>
          Generate
        </button>
        {pair && (
          <button type="button" onClick={() => onSign(pair.privateKey)}>
            Sign with this key
          </button>
        )}
      </p>
      <div role="status">
        {message && <p class="field-error">{message}</p>}
        {pair && (
          <>
            <CodeBlock name="Private key: into the Worker" text={pair.privateKey} />
            <CodeBlock name="Public key: into Membrane" text={pair.publicKey} />
            <CodeBlock name="Key set" text={JSON.stringify({ keys: [pair.publicJwk] }, null, 2)} />
          </>
        )}
      </div>
    </section>
  )
}

function KeyReport({ pasted }: { pasted: PastedKey }) {
  switch (pasted.kind) {
    case 'empty':
      return null
    case 'other':
      return (
        <Report title="Not a key">
          <p>
            This is not PEM, a JWK, a certificate or base64 DER. If part of the key is missing, copy it again,
            from the first line to the last.
          </p>
          <p>A workspace secret is any text of 32 bytes or more. Use it in Sign or in Inspect.</p>
        </Report>
      )
    case 'jwks':
      return (
        <Report title={`A ${describeKey(pasted)}`}>
          <p>Paste one of its keys to see more. To verify a token with the set, use Inspect.</p>
        </Report>
      )
    case 'key':
      return <InspectedKey inspection={pasted.inspection} title={describeKey(pasted)} />
  }
}

function Report({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="card report" aria-labelledby="report-heading">
      <h2 id="report-heading">{title[0]?.toUpperCase() + title.slice(1)}</h2>
      {children}
    </section>
  )
}

function InspectedKey({ inspection, title }: { inspection: KeyInspection; title: string }) {
  const { algorithms, bits, format, keyId, problems, publicJwk, publicKey } = inspection
  return (
    <Report title={title}>
      {problems.length > 0 && (
        <ol class="problems">
          {problems.map(({ code, message }) => (
            <li key={code + message} class="error">
              <p class="problem-head">
                <span class="tag error">error</span> <code>{code}</code>
              </p>
              <p>{message}</p>
            </li>
          ))}
        </ol>
      )}
      <table class="claims">
        <caption>Details</caption>
        <tbody>
          <Row name="Format" value={format} />
          <Row name="Strength" value={bits === undefined ? undefined : `${bits} bits`} />
          <Row name="Algorithms" value={algorithms.length > 0 ? algorithms.join(', ') : 'none'} />
          <Row name="Thumbprint" value={keyId} />
        </tbody>
      </table>
      {publicKey && <CodeBlock name="Public half" text={publicKey} />}
      {publicJwk && <CodeBlock name="Public JWK" text={JSON.stringify(publicJwk, null, 2)} />}
    </Report>
  )
}

function Row({ name, value }: { name: string; value: string | undefined }) {
  if (value === undefined) return null
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <code>{value}</code>
      </td>
    </tr>
  )
}
