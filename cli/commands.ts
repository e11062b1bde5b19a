import type { Command } from './command.ts'

interface Entry {
  readonly summary: string
  readonly load: () => Promise<{ command: Command }>
}

/** All commands. They are loaded on demand, so that one does not slow down another. */
export const COMMANDS = {
  inspect: {
    summary: "Show a token's contents and problems",
    load: () => import('./commands/inspect.ts'),
  },
  verify: {
    summary: 'Verify a token, for scripts',
    load: () => import('./commands/verify.ts'),
  },
  sign: {
    summary: 'Sign a customer or admin token',
    load: () => import('./commands/sign.ts'),
  },
  keygen: {
    summary: 'Generate a key pair',
    load: () => import('./commands/keygen.ts'),
  },
  key: {
    summary: 'Show what kind of key a file contains',
    load: () => import('./commands/key.ts'),
  },
  'api-key': {
    summary: 'Generate an API key and its entry for API_KEYS',
    load: () => import('./commands/api-key.ts'),
  },
  serve: {
    summary: 'Run the token service on this runtime',
    load: () => import('./commands/serve.ts'),
  },
  dev: {
    summary: 'Run the token service for development, with a local identity provider',
    load: () => import('./commands/dev.ts'),
  },
  exchange: {
    summary: "In a CI job, exchange the job's OIDC token for a Membrane token",
    load: () => import('./commands/exchange.ts'),
  },
  doctor: {
    summary: 'Check a deployed token service from outside',
    load: () => import('./commands/doctor.ts'),
  },
} as const satisfies Record<string, Entry>

export type CommandName = keyof typeof COMMANDS
