/**
 * The registrar and assertions of the portable suite. They use only ECMAScript, so that the same tests run in every
 * runtime and browser.
 */

export type Library = typeof import('../../src/index.ts')

export interface Suite {
  test(name: string, run: () => void | Promise<void>): void
  /** Records that this form of key works with this algorithm. */
  supports(use: keyof Support, form: string, algorithm: string): void
}

/** The algorithms that each form of key works with. */
export type Support = Record<'sign' | 'verify', Record<string, string[]>>

export type ConformanceModule = (suite: Suite, lib: Library) => void

export interface Failure {
  name: string
  message: string
}

export interface Result {
  runtime: string
  version: string
  passed: number
  failed: number
  total: number
  failures: Failure[]
  support: Support
}

export function assert(condition: unknown, message = 'assertion failed'): asserts condition {
  if (!condition) throw new Error(message)
}

/** Asserts deep equality. A member that is `undefined` differs from an absent one. */
export function equal(actual: unknown, expected: unknown, message?: string): void {
  if (same(actual, expected)) return
  throw new Error(`${message ? `${message}: ` : ''}expected ${show(expected)}, got ${show(actual)}`)
}

/** Asserts that `run` throws, or rejects with, an error with this name and code. */
export async function rejects(run: () => unknown, code: string, name = 'MembraneTokenError'): Promise<Error> {
  let value: unknown
  try {
    value = await run()
  } catch (error) {
    assert(error instanceof Error, `expected ${code}, got something that is not an Error: ${show(error)}`)
    const found = 'code' in error ? error.code : undefined
    if (error.name === name && found === code) return error
    throw new Error(`expected ${code}, got ${error.name} ${show(found)}: ${error.message}`, { cause: error })
  }
  throw new Error(`expected ${code}, but it succeeded with ${show(value)}`)
}

/** Runs the tests in sequence, so that a failure does not depend on other tests that are running. */
export async function runSuite(
  modules: Record<string, ConformanceModule>,
  lib: Library,
  runtime: string,
  version: string,
): Promise<Result> {
  const tests = new Map<string, () => void | Promise<void>>()
  const support: Support = { sign: {}, verify: {} }
  const supports: Suite['supports'] = (use, form, algorithm) => {
    support[use][form] = [...(support[use][form] ?? []), algorithm]
  }
  for (const [module, register] of Object.entries(modules)) {
    const test: Suite['test'] = (title, run) => {
      const name = `${module} > ${title}`
      assert(!tests.has(name), `two tests are named "${name}"`)
      tests.set(name, run)
    }
    register({ test, supports }, lib)
  }

  const failures: Failure[] = []
  for (const [name, run] of tests) {
    try {
      await run()
    } catch (error) {
      failures.push({ name, message: error instanceof Error ? error.message : String(error) })
    }
  }
  const total = tests.size
  const failed = failures.length
  return { runtime, version, passed: total - failed, failed, total, failures, support }
}

/** Counts the tests without running any. */
export function countTests(modules: Record<string, ConformanceModule>, lib: Library): number {
  let count = 0
  for (const register of Object.values(modules)) register({ test: () => count++, supports: () => {} }, lib)
  return count
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  // Tags instead of prototypes, because a value may come from another realm or have no prototype.
  if (tag(a) !== tag(b)) return false
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime())
  if (a instanceof Error && b instanceof Error && (a.name !== b.name || a.message !== b.message)) return false
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return same(new Uint8Array(a), new Uint8Array(b))
  if (a instanceof Map && b instanceof Map) return same([...a], [...b])
  if (a instanceof Set && b instanceof Set) return same([...a], [...b])

  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false
  return keys.every((key) => Object.hasOwn(b, key) && same(Reflect.get(a, key), Reflect.get(b, key)))
}

function tag(value: object): string {
  return Object.prototype.toString.call(value)
}

function show(value: unknown): string {
  try {
    const json = JSON.stringify(value, (_, v) =>
      typeof v === 'bigint' ? `${v}n` : ArrayBuffer.isView(v) ? `${tag(v)} ${v}` : v,
    )
    return json ?? String(value)
  } catch {
    return String(value)
  }
}
