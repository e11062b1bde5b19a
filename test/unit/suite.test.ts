import { describe, expect, test } from 'vitest'
import { assert, equal, type Library, rejects, runSuite } from '../conformance/suite.ts'

const lib = {} as Library

class MembraneTokenError extends Error {
  override name = 'MembraneTokenError'
  readonly code: string
  constructor(code: string) {
    super('message')
    this.code = code
  }
}

describe('equal', () => {
  test.each([
    [1, 1],
    [Number.NaN, Number.NaN],
    ['a', 'a'],
    [null, null],
    [
      { a: [1, { b: 2 }], c: undefined },
      { c: undefined, a: [1, { b: 2 }] },
    ],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [new Date(5), new Date(5)],
    [Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
    [Uint8Array.of(1, 2).buffer, Uint8Array.of(1, 2).buffer],
    [new Map([['a', { b: 1 }]]), new Map([['a', { b: 1 }]])],
    [new Set([1]), new Set([1])],
  ])('%o equals %o', (a, b) => equal(a, b))

  test.each([
    [1, 2],
    [0, -0],
    [1, '1'],
    [null, undefined],
    [null, {}],
    [{}, []],
    [{ a: 1 }, {}],
    [{ a: undefined }, {}],
    [{ a: undefined }, { b: undefined }],
    [[1, 2], [1]],
    [new Array(1), []],
    [new Date(5), new Date(6)],
    [Uint8Array.of(1), Uint8Array.of(2)],
    [Uint8Array.of(1), [1]],
    [Uint8Array.of(1).buffer, Uint8Array.of(2).buffer],
    [new Map([['a', 1]]), new Map([['a', 2]])],
    [new Set([1]), new Set([2])],
    [new Error('a'), new Error('b')],
    [1n, 2n],
    [{ ['__proto__']: 1 }, {}],
  ])('%o does not equal %o', (a, b) => {
    expect(() => equal(a, b)).toThrow(/expected .*got/)
    expect(() => equal(b, a)).toThrow(/expected .*got/)
  })
})

describe('rejects', () => {
  test('returns the error, thrown or rejected', async () => {
    const error = new MembraneTokenError('ERR_A')
    expect(await rejects(() => Promise.reject(error), 'ERR_A')).toBe(error)
    const thrown = await rejects(() => {
      throw error
    }, 'ERR_A')
    expect(thrown).toBe(error)
  })

  test.each([
    ['a value', () => 'value'],
    ['another code', () => Promise.reject(new MembraneTokenError('ERR_B'))],
    ['another class', () => Promise.reject(Object.assign(new Error('message'), { code: 'ERR_A' }))],
    ['a value that is not an error', () => Promise.reject('ERR_A')],
  ])('fails for %s', async (_, run) => {
    await expect(rejects(run, 'ERR_A')).rejects.toThrow('expected ERR_A')
  })
})

describe('runSuite', () => {
  test('runs tests in order and counts them', async () => {
    const order: number[] = []
    const result = await runSuite(
      {
        one: ({ test, supports }) => {
          test('works', () => supports('sign', 'JWK', 'ES256'))
          test('late', () => Promise.resolve().then(() => void order.push(1)))
          test('bad', () => assert(order.length === 5, 'five'))
        },
        two: ({ test }) => test('late', () => void order.push(2)),
      },
      lib,
      'here',
      '1.0',
    )
    expect(order).toEqual([1, 2])
    expect(result).toEqual({
      runtime: 'here',
      version: '1.0',
      passed: 3,
      failed: 1,
      total: 4,
      failures: [{ name: 'one > bad', message: 'five' }],
      support: { sign: { JWK: ['ES256'] }, verify: {} },
    })
  })

  test('rejects two tests with the same name', async () => {
    const twice = {
      one: ({ test }: { test: (name: string, run: () => void) => void }) => {
        test('a', () => {})
        test('a', () => {})
      },
    }
    await expect(runSuite(twice, lib, 'here', '1.0')).rejects.toThrow('two tests are named "one > a"')
  })
})
