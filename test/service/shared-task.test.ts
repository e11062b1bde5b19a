import { afterEach, expect, test, vi } from 'vitest'
import { createSharedTask } from '../../src/shared-task.ts'

afterEach(() => vi.useRealTimers())

test('runs once however many join, and again once it has settled', async () => {
  const shared = createSharedTask()
  const load = vi.fn(async () => {})
  await Promise.all(Array.from({ length: 50 }, () => shared.join(load, undefined)))
  expect(load).toHaveBeenCalledTimes(1)
  await shared.join(load, undefined)
  expect(load).toHaveBeenCalledTimes(2)
})

test('a run whose request is gone is taken over by whoever waits', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  // A cancelled request: its promise never settles, and its timer has ended with it.
  const stopped = vi.spyOn(globalThis, 'setInterval').mockImplementationOnce(() => 0 as never)
  const shared = createSharedTask()
  void shared.join(() => new Promise(() => {}), undefined)
  stopped.mockRestore()
  const load = vi.fn(async () => {})
  const waiting = Promise.all([shared.join(load, undefined), shared.join(load, undefined)])
  await vi.advanceTimersByTimeAsync(450)
  expect(load).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(200)
  await waiting
  expect(load).toHaveBeenCalledTimes(1)
})

test('waitUntil keeps a run alive beyond its request', async () => {
  const kept: Promise<unknown>[] = []
  const context = { waitUntil: (promise: Promise<unknown>) => void kept.push(promise) }
  await createSharedTask().join(async () => {}, context)
  expect(kept).toHaveLength(1)
})
