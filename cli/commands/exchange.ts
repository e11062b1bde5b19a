import { defineCommand } from '../command.ts'
import { readIdentity } from '../exchange/identity.ts'
import { requestToken } from '../exchange/request-token.ts'
import { readText } from '../files.ts'
import { isLoopback, readServiceUrl } from '../http.ts'
import { JSON_OPTIONS, toJson } from '../output.ts'
import { ExitCode, UsageError } from '../terminal.ts'

export const command = defineCommand(
  {
    name: 'exchange',
    usage: ['URL [options]'],
    description: `Runs inside a CI job: exchanges the job's OIDC token for a Membrane token, without a stored secret, and
prints only the token. GitHub Actions (permissions: id-token: write) and GitLab (id_tokens) are
detected; on other platforms, pass the OIDC token with --identity-file. The service must list the job
in WORKLOAD_IDENTITIES. On GitHub, the token is masked in the log. Exit code 1: no token was issued.`,
    maxPositionals: 1,
    options: {
      audience: {
        type: 'string',
        value: 'AUDIENCE',
        description: "Audience of the OIDC token; default: the URL's origin",
      },
      customer: {
        type: 'string',
        value: 'ID',
        description: 'Request a token for this customer; default: an admin token',
      },
      'expires-in': { type: 'string', value: 'DURATION', description: 'Lifetime to request, such as 10m' },
      'identity-file': {
        type: 'string',
        value: 'FILE',
        description: 'OIDC token of the job or workload; "-": standard input',
      },
      ...JSON_OPTIONS,
    },
    examples: [
      {
        title: 'In a GitHub Actions or GitLab step',
        command: 'TOKEN=$(membrane-token exchange https://token.example.com)',
      },
      {
        title: 'In a Kubernetes pod with a projected service account token',
        command:
          'membrane-token exchange https://token.example.com --identity-file /var/run/secrets/tokens/membrane',
      },
    ],
  },
  async ({ options, positionals: [address] }, terminal) => {
    const service = readServiceUrl(address, 'exchange')
    if (service.protocol === 'http:' && !isLoopback(service))
      throw new UsageError(
        'The address must be https: the OIDC token and the Membrane token are credentials.',
      )
    const { 'identity-file': file, 'expires-in': expiresIn, customer } = options
    const identity =
      file === undefined
        ? await readIdentity(terminal.env, options.audience ?? service.origin)
        : (await readText(file, terminal, 'the OIDC token')).trim()
    const issued = await requestToken(service, identity, { customer, expiresIn })
    // GitHub's runner reads commands from both streams, and the shell usually captures standard output.
    if (terminal.env.GITHUB_ACTIONS === 'true') terminal.note(`::add-mask::${issued.token}`)
    terminal.out(options.json ? toJson(issued) : issued.token)
    return ExitCode.Success
  },
)
