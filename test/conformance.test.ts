import { describe, test } from 'vitest'
import * as lib from '../src/index.ts'
import { modules } from './conformance/index.ts'

for (const [name, register] of Object.entries(modules)) {
  describe(name, () => register({ test: (title, run) => void test(title, run), supports: () => {} }, lib))
}
