// `npm run docs:command`: writes docs/command.md from the help texts of the command.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { COMMANDS } from '../cli/commands.ts'
import { renderHelp } from '../cli/help.ts'

const INTRODUCTION = `# The command

\`membrane-token\` signs, verifies and inspects tokens, generates keys, and runs the token service on Node 20.12 and later,
Deno and Bun. The package is not published yet; use the tarball that \`npm pack\` creates:

\`\`\`sh
npx ./membrane-token-<version>.tgz inspect TOKEN

npm install ./membrane-token-<version>.tgz          # or install it and run it from there
node_modules/.bin/membrane-token inspect TOKEN
deno run --allow-all node_modules/membrane-token/dist/cli.js inspect TOKEN
bun node_modules/membrane-token/dist/cli.js inspect TOKEN
\`\`\`

- **Output.** Results go to standard output, everything else to standard error. \`--json\` prints JSON. Output is
  colored only on a terminal, and never with \`NO_COLOR\`.
- **Exit codes.** 0: success. 1: failure or a negative result, such as an invalid token or a rejected request.
  2: usage error.
- **Secrets** are read from the environment, \`--env-file\`, files or standard input, never from arguments: other
  users see those in the process list, and the shell keeps them in its history. On Node, Node itself also reads
  \`--env-file\`, and exits with code 9 if the file is missing.
`

const NOTES: Readonly<Record<string, string>> = {
  serve: `Audit events are printed to standard output as JSON lines. All other messages are JSON lines on standard error.

The [Dockerfile](../Dockerfile) runs the service as an unprivileged user:

\`\`\`sh
npm pack && docker build -t membrane-token .
docker run --env-file .env -p 8787:8787 membrane-token
\`\`\`

- A caller gets 429 after 600 requests a minute, and a network after 600 failed attempts a minute. Each process counts
  separately. Behind a proxy, set \`TRUSTED_PROXIES\`, or all clients count as one.
- On SIGTERM, the service stops accepting connections and finishes the requests in progress, for at most 8 seconds.
- A client must send the header of a request within 10 seconds and the whole request within 30 (Node). Idle connections are
  kept open for 65 seconds (Node, Bun), longer than common load balancers keep theirs.
- \`Strict-Transport-Security\` is added to every response, unless a trusted proxy sends \`X-Forwarded-Proto: http\`.
`,
  dev: `In a clone, \`npm start\` does the same with the Worker on workerd. It keeps its settings in \`.dev.vars\`, which may also
hold real ones. Neither command asks for a password: anyone who has the page's address can sign in, so do not share it.
`,
  exchange: `GitHub Actions:

\`\`\`yaml
permissions:
  id-token: write
steps:
  - run: |
      TOKEN=$(npx ./membrane-token-<version>.tgz exchange https://token.example.com)
\`\`\`

The command masks the token with \`::add-mask::\` on standard error, which GitHub's runner reads as well as standard output.
Capture standard output, as above: GitHub does not guarantee the order of the two streams.

GitLab, which cannot mask values created in a job:

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

/** Renders docs/command.md. */
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
