// `npm run docs:command`: writes docs/command.md from the help of the commands.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { COMMANDS } from '../cli/commands.ts'
import { renderHelp } from '../cli/help.ts'

const INTRODUCTION = `# The command

\`membrane-token\` signs, verifies and inspects tokens, makes keys, and runs the token service, on Node 20.12 and later,
Deno and Bun. The package is not published yet; use the packed file (\`npm pack\`):

\`\`\`sh
npx ./membrane-token-<version>.tgz inspect TOKEN

npm install ./membrane-token-<version>.tgz          # or install it, and run the command from there
node_modules/.bin/membrane-token inspect TOKEN
deno run --allow-all node_modules/membrane-token/dist/cli.js inspect TOKEN
bun node_modules/membrane-token/dist/cli.js inspect TOKEN
\`\`\`

- **Output.** Results go to standard output, everything else to standard error. \`--json\` prints JSON. Colours appear on
  a terminal only, and never with \`NO_COLOR\`.
- **Exit codes.** 0: success. 1: the answer is no, such as a token that is not valid, or a service that refuses.
  2: wrong usage.
- **Secrets** are read from the environment, \`--env-file\`, files or standard input, never from arguments, which other
  users see in the process list and the shell keeps in its history. Node reads \`--env-file\` too: there, a missing file is
  Node's error, with exit code 9.
`

const NOTES: Readonly<Record<string, string>> = {
  serve: `Audit events are JSON lines on standard output; everything else the service says is JSON on standard error.

The [Dockerfile](../Dockerfile) runs it as an unprivileged user:

\`\`\`sh
npm pack && docker build -t membrane-token .
docker run --env-file .env -p 8787:8787 membrane-token
\`\`\`

- Callers that are over 600 requests a minute get 429, and so do networks with as many failed attempts; each process
  counts for itself. Behind a proxy, set \`TRUSTED_PROXIES\`, or all clients count as one.
- On SIGTERM it takes no new connections and answers the requests under way, for at most 8 seconds.
- A connection must send the header of a request within 10 seconds and all of it within 30 (Node); idle connections are
  kept for 65 seconds (Node, Bun), longer than those of common load balancers.
- \`Strict-Transport-Security\` is added to every answer, unless a trusted proxy says \`X-Forwarded-Proto: http\`.
`,
  dev: `\`npm start\` in a checkout does the same with the Worker on workerd, and keeps its settings in \`.dev.vars\`, where you may
put real ones. Neither has a password: the page's address is the credential, so do not share it.
`,
  exchange: `GitHub Actions:

\`\`\`yaml
permissions:
  id-token: write
steps:
  - run: |
      TOKEN=$(npx ./membrane-token-<version>.tgz exchange https://token.example.com)
\`\`\`

The token is masked by \`::add-mask::\` on standard error, which GitHub's runner reads as it does standard output. Capture
standard output, as above: GitHub does not promise an order between the two.

GitLab, which cannot mask a value that a job makes:

\`\`\`yaml
job:
  id_tokens:
    MEMBRANE_ID_TOKEN:
      aud: https://token.example.com
  script:
    - TOKEN=$(npx ./membrane-token-<version>.tgz exchange https://token.example.com)
\`\`\`
`,
}

/** docs/command.md as it must be. */
export async function renderCommandDocs(): Promise<string> {
  const sections = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, { summary, load }]) => {
      const { command } = await load()
      const notes = NOTES[name] ? `\n${NOTES[name]}` : ''
      return `## ${name}\n\n${summary}.\n\n\`\`\`text\n${renderHelp(command.specification)}\n\`\`\`\n${notes}`
    }),
  )
  return [INTRODUCTION, ...sections].join('\n')
}

if (import.meta.main) {
  const path = fileURLToPath(new URL('../docs/command.md', import.meta.url))
  writeFileSync(path, await renderCommandDocs())
}
