import { describe, expect, test } from 'vitest'
import { createSlots } from '../../src/kms/slots.ts'

describe('concurrent signatures', () => {
  test('are at most 32, and a slot that is not released is free after 5 seconds', () => {
    let now = 0
    const slots = createSlots(() => now)
    const releases = Array.from({ length: 32 }, () => slots.take())
    expect(releases.every((release) => release !== undefined)).toBe(true)
    expect(slots.take()).toBeUndefined()
    releases[0]?.()
    expect(slots.take()).toBeDefined()
    expect(slots.take()).toBeUndefined()
    now = 5000
    expect(slots.take()).toBeDefined()
  })
})
