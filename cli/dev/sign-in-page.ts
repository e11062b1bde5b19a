import type { DevUser } from './customers.ts'

/** The sign-in page: the users to sign in as, and a link to the console. It needs no script. */
export function renderSignInPage(users: readonly DevUser[], hasConsole: boolean): string {
  const items = users.map(
    ({ sub, name }) =>
      `<li><a href="sessions/${encodeURIComponent(sub)}">${escapeHtml(name)}</a> <code>${escapeHtml(sub)}</code></li>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>membrane-token: development</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
</style>
</head>
<body>
<main>
<h1>Local identity provider</h1>
<p>For development only. Get a session of one hour as:</p>
<ul>
${items.join('\n')}
</ul>
<p>Send it to the token service as <code>Authorization: Bearer …</code></p>
${hasConsole ? '<p><a href="console">Console</a>: inspect and sign tokens, check keys, and set up the service.</p>' : ''}
</main>
</body>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
}
