import { useState } from 'preact/hooks'
import { Tabs } from './components/tabs.tsx'
import { InspectView } from './inspect/inspect-view.tsx'

type View = 'inspect'

/** The page: its four views, each of which keeps what was typed while another is shown. */
export function App() {
  const [view, setView] = useState<View>('inspect')
  const [token, setToken] = useState('')
  return (
    <>
      <header class="top">
        <h1>
          membrane-token <span>console</span>
        </h1>
        <p class="promise">Nothing leaves this page</p>
      </header>
      <main>
        <Tabs
          label="Views"
          selected={view}
          onSelect={setView}
          tabs={[
            {
              name: 'inspect',
              label: 'Inspect',
              panel: <InspectView token={token} onToken={setToken} />,
            },
          ]}
        />
      </main>
    </>
  )
}
