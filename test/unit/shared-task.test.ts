import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSharedTask } from '../../src/shared-task.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** A task that settles when the test calls `end`. */
function createTask() {
  let end = (): void => {}
  const promise = new Promise<void>((resolve) => {
    end = resolve
  })
  return { load: vi.fn(() => promise), end }
}

test('a slow task is not started again while its heartbeat continues', async () => {
  const { join } = createSharedTask()
  const task = createTask()
  const all = Promise.all(Array.from({ length: 10 }, () => join(task.load, undefined)))
  await vi.advanceTimersByTimeAsync(9000)
  expect(task.load).toHaveBeenCalledTimes(1)
  task.end()
  await vi.advanceTimersByTimeAsync(15)
  await all
  expect(task.load).toHaveBeenCalledTimes(1)
})

test('a task whose timers have stopped is taken over by one waiting caller', async () => {
  const { join, isPending } = createSharedTask()
  // As in workerd when the request that runs the task is cancelled.
  const stopped = vi.spyOn(globalThis, 'setInterval').mockReturnValueOnce(0 as never)
  void join(() => new Promise(() => {}), undefined)
  stopped.mockRestore()
  const task = createTask()
  const all = Promise.all(Array.from({ length: 10 }, () => join(task.load, undefined)))
  await vi.advanceTimersByTimeAsync(450)
  expect(task.load).not.toHaveBeenCalled()
  expect(isPending()).toBe(true)
  await vi.advanceTimersByTimeAsync(100)
  expect(task.load).toHaveBeenCalledTimes(1)
  task.end()
  await vi.advanceTimersByTimeAsync(15)
  await all
  expect(task.load).toHaveBeenCalledTimes(1)
  expect(isPending()).toBe(false)
})

test('a task is not lost when the whole process is paused', async () => {
  const { join } = createSharedTask()
  const task = createTask()
  const all = Promise.all([join(task.load, undefined), join(task.load, undefined)])
  await vi.advanceTimersByTimeAsync(5)
  const { now } = performance
  // The clock jumps, and no timer has fired in the meantime.
  vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 10_000)
  await vi.advanceTimersByTimeAsync(100)
  expect(task.load).toHaveBeenCalledTimes(1)
  task.end()
  await vi.advanceTimersByTimeAsync(15)
  await all
})

test('waiting callers give up after eleven seconds', async () => {
  const { join } = createSharedTask()
  const task = createTask()
  void join(task.load, undefined)
  const waiting = join(task.load, undefined)
  await vi.advanceTimersByTimeAsync(11_000)
  await waiting
  expect(task.load).toHaveBeenCalledTimes(1)
})

test('the task is passed to waitUntil', async () => {
  const { join, startInBackground } = createSharedTask()
  const kept: Promise<unknown>[] = []
  const context = { waitUntil: (promise: Promise<unknown>) => void kept.push(promise) }
  await join(async () => {}, context)
  startInBackground(() => Promise.reject(new Error('unreachable')), context)
  expect(kept).toHaveLength(2)
  await Promise.all(kept)
})
