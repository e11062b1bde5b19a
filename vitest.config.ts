import { defineConfig } from 'vitest/config'
import { SOURCES } from './test/support/sources.ts'

export default defineConfig({
  // Tests and examples import the package by its public names.
  resolve: {
    alias: Object.entries(SOURCES).map(([name, replacement]) => ({
      find: new RegExp(`^${name}$`),
      replacement,
    })),
  },
  test: {
    include: ['test/**/*.test.ts'],
    // RSA key generation on a busy two-core machine takes seconds.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
