import { describe, expect, test } from 'vitest'
import { cacheCredential } from '../../src/kms/credential-cache.ts'

describe('a temporary credential', () => {
  test('is loaded once, and again before it expires and when the clock goes back', async () => {
    let now = 1_000_000
    let loads = 0
    const load = async () => ({ value: ++loads, expiresIn: 1000 })
    const { get } = cacheCredential('Test', load, () => now)
    expect(await Promise.all(Array.from({ length: 50 }, get))).toEqual(Array.from({ length: 50 }, () => 1))
    now += 749_000
    expect([await get(), loads]).toEqual([1, 1])
    now += 2000
    expect(await get()).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect([await get(), loads]).toEqual([2, 2])
    now -= 3_600_000
    expect(await get()).toBe(3)
  })

  test('that cannot be loaded rejects all callers, and is loaded again later', async () => {
    let isDown = true
    const load = async () => {
      if (isDown) throw new Error('down')
      return { value: 'good', expiresIn: 1000 }
    }
    const { get } = cacheCredential('Test', load)
    const results = await Promise.allSettled([get(), get()])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    isDown = false
    expect(await get()).toBe('good')
  })

  test('that is rejected is replaced only after 30 seconds', async () => {
    let now = 0
    let loads = 0
    const load = async () => ({ value: ++loads, expiresIn: 3600 })
    const { get, reject } = cacheCredential('Test', load, () => now)
    await get()
    now = 29_000
    expect(reject(1)).toBe(false)
    now = 30_000
    expect([reject(1), await get(), reject(1), reject(2)]).toEqual([true, 2, true, false])
  })
})
