import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url))

export default defineConfig({
  // The examples say what users say.
  resolve: {
    alias: [
      { find: /^membrane-token$/, replacement: source('index.ts') },
      { find: /^membrane-token\/endpoint$/, replacement: source('endpoint.ts') },
      { find: /^membrane-token\/client$/, replacement: source('client.ts') },
      { find: /^membrane-token\/kms$/, replacement: source('kms.ts') },
      { find: /^membrane-token\/service$/, replacement: source('service.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // RSA key generation on a busy two-core machine takes seconds.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
