import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSharedTask } from '../../src/shared-task.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** A run that a test ends. */
function createRun(): { load: () => Promise<void>; end: () => void; count: () => number } {
  let started = 0
  let end = (): void => {}
  const promise = new Promise<void>((resolve) => {
    end = resolve
  })
  return {
    load: () => {
      started++
      return promise
    },
    end,
    count: () => started,
  }
}

test('a run that takes long is not started again while it shows signs of life', async () => {
  const { join } = createSharedTask()
  const run = createRun()
  const all = Promise.all(Array.from({ length: 10 }, () => join(run.load, undefined)))
  await vi.advanceTimersByTimeAsync(9000)
  expect(run.count()).toBe(1)
  run.end()
  await vi.advanceTimersByTimeAsync(15)
  await all
  expect(run.count()).toBe(1)
})

test('a run whose timers have stopped is taken over by one of those who wait', async () => {
  const { join, isPending } = createSharedTask()
  // As in workerd, when the request of the run is cancelled.
  const stopped = vi.spyOn(globalThis, 'setInterval').mockReturnValueOnce(0 as never)
  void join(() => new Promise(() => {}), undefined)
  stopped.mockRestore()
  const run = createRun()
  const all = Promise.all(Array.from({ length: 10 }, () => join(run.load, undefined)))
  await vi.advanceTimersByTimeAsync(450)
  expect([run.count(), isPending()]).toEqual([0, true])
  await vi.advanceTimersByTimeAsync(100)
  expect(run.count()).toBe(1)
  run.end()
  await vi.advanceTimersByTimeAsync(15)
  await all
  expect([run.count(), isPending()]).toEqual([1, false])
})

test('a pause of the whole process does not make a run look lost', async () => {
  const { join } = createSharedTask()
  const run = createRun()
  const all = Promise.all([join(run.load, undefined), join(run.load, undefined)])
  await vi.advanceTimersByTimeAsync(5)
  const { now } = performance
  // The clock jumps, and no timer has fired meanwhile.
  vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 10_000)
  await vi.advanceTimersByTimeAsync(100)
  expect(run.count()).toBe(1)
  run.end()
  await vi.advanceTimersByTimeAsync(15)
  await all
})

test('waiting callers give up eventually', async () => {
  const { join } = createSharedTask()
  const run = createRun()
  void join(run.load, undefined)
  const waiting = join(run.load, undefined)
  await vi.advanceTimersByTimeAsync(11_000)
  await waiting
  expect(run.count()).toBe(1)
})

test('the run is handed to waitUntil', async () => {
  const { join, startInBackground } = createSharedTask()
  const kept: Promise<unknown>[] = []
  const context = { waitUntil: (promise: Promise<unknown>) => void kept.push(promise) }
  await join(async () => {}, context)
  startInBackground(() => Promise.reject(new Error('unreachable')), context)
  expect(kept).toHaveLength(2)
  await Promise.all(kept)
})
