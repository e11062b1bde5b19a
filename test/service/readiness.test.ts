import { afterEach, expect, test, vi } from 'vitest'
import type { Way } from '../../src/service.ts'
import { get, service } from './harness.ts'

afterEach(() => vi.useRealTimers())

const works: Way = { name: 'WORKS' }
const fails: Way = { name: 'FAILS', check: () => Promise.reject(new Error('hunter2')) }

async function readyOf(signer: Way, ways: Way[]) {
  const response = await service({ readiness: { signer, ways } })(get('/ready'))
  return [response.status, await response.text()] as const
}

test('is 200, and names degraded settings', async () => {
  expect(await readyOf(works, [works])).toEqual([200, '{"status":"ok"}'])
  expect(await readyOf(works, [works, fails])).toEqual([200, '{"status":"ok","degraded":["FAILS"]}'])
})

test.each([
  ['no working authenticator', works, [fails]],
  ['no working signer', fails, [works]],
])('is 503 with %s', async (_, signer, ways) => {
  const [status, text] = await readyOf(signer, ways)
  expect([status, JSON.parse(text).code]).toEqual([503, 'ERR_NOT_READY'])
  expect(text).toContain('FAILS')
  expect(text).not.toContain('hunter2')
})

test('is checked once every ten seconds, for all callers', async () => {
  let time = Date.UTC(2026, 0)
  const check = vi.fn(async () => {})
  const handler = service({ readiness: { signer: works, ways: [{ name: 'a', check }] }, now: () => time })
  await Promise.all(['/ready', '/readyz', '/ready'].map((path) => handler(get(path))))
  time += 9999
  await handler(get('/ready'))
  expect(check).toHaveBeenCalledTimes(1)
  time += 1
  await handler(get('/ready'))
  expect(check).toHaveBeenCalledTimes(2)
})

test('a check that hangs times out after five seconds', async () => {
  vi.useFakeTimers()
  const hangs: Way = { name: 'HANGS', check: () => new Promise(() => {}) }
  const response = service({ readiness: { signer: works, ways: [works, hangs] } })(get('/ready'))
  await vi.advanceTimersByTimeAsync(5100)
  expect(await (await response).json()).toEqual({ status: 'ok', degraded: ['HANGS'] })
})
