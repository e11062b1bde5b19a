import { useState } from 'preact/hooks'
import { Tabs } from './components/tabs.tsx'
import { InspectView } from './inspect/inspect-view.tsx'
import { KeysView } from './keys/keys-view.tsx'
import { SetupView } from './setup/setup-view.tsx'
import { EMPTY_FORM } from './sign/sign-token.ts'
import { SignView } from './sign/sign-view.tsx'

type View = 'inspect' | 'sign' | 'keys' | 'setup'

/** The page: four views. Each keeps its input while another is shown. */
export function App() {
  const [resets, setResets] = useState(0)
  return (
    <>
      <header class="top">
        <h1>
          membrane-token <span>console</span>
        </h1>
        <p class="promise">Nothing you type leaves this page</p>
        <button type="button" class="link" onClick={() => setResets(resets + 1)}>
          Clear everything
        </button>
      </header>
      <main>
        <Views key={resets} />
      </main>
    </>
  )
}

/** Input is kept in this component only, never in the URL or in storage. */
function Views() {
  const [view, setView] = useState<View>('inspect')
  const [token, setToken] = useState('')
  const [session, setSession] = useState('')
  const [form, setForm] = useState(EMPTY_FORM)
  const inspect = (signed: string) => {
    setToken(signed)
    setView('inspect')
  }
  const setUp = (sample: string) => {
    setSession(sample)
    setView('setup')
  }
  const sign = (privateKey: string) => {
    setForm({ ...form, key: privateKey, algorithm: '' })
    setView('sign')
  }
  return (
    <Tabs
      label="Views"
      selected={view}
      onSelect={setView}
      tabs={[
        {
          name: 'inspect',
          label: 'Inspect',
          panel: <InspectView token={token} onToken={setToken} onSetUp={setUp} />,
        },
        { name: 'sign', label: 'Sign', panel: <SignView form={form} onForm={setForm} onInspect={inspect} /> },
        { name: 'keys', label: 'Keys', panel: <KeysView onSign={sign} /> },
        { name: 'setup', label: 'Set-up', panel: <SetupView session={session} onSession={setSession} /> },
      ]}
    />
  )
}
