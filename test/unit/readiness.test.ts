import { expect, test } from 'vitest'
import { createReadiness } from '../../src/service/readiness.ts'

test('an unreachable provider is degraded while its known keys are usable, and not ready after that', async () => {
  let isUsable = true
  let time = 0
  const unreachable = () => Promise.reject(new Error('unreachable'))
  const provider = { name: 'SESSION_ISSUER', check: unreachable, isUsable: () => isUsable }
  const check = createReadiness({ name: 'signer' }, [provider], () => time)
  expect(await check()).toEqual({ isReady: true, degraded: ['SESSION_ISSUER'] })
  isUsable = false
  time += 10_000
  expect(await check()).toEqual({ isReady: false, degraded: ['SESSION_ISSUER'] })
})
