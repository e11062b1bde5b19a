import { expect, test } from 'vitest'
import { createReadiness } from '../../src/service/readiness.ts'

const signer = { name: 'signer' }
const unreachable = () => Promise.reject(new Error('unreachable'))

test('a key set that cannot be refreshed is degraded, and not ready only once its keys are too old', async () => {
  let isUsable = true
  let time = 0
  const way = { name: 'SESSION_ISSUER', check: unreachable, isUsable: () => isUsable }
  const check = createReadiness(signer, [way], () => time)
  expect(await check()).toEqual({ isReady: true, degraded: ['SESSION_ISSUER'] })
  isUsable = false
  time += 10_000
  expect(await check()).toEqual({ isReady: false, degraded: ['SESSION_ISSUER'] })
})

test('one way that works is enough, but nothing works without the signer', async () => {
  const broken = { name: 'SESSION_ISSUER', check: unreachable }
  expect(await createReadiness(signer, [broken, { name: 'API_KEYS' }], Date.now)()).toEqual({
    isReady: true,
    degraded: ['SESSION_ISSUER'],
  })
  const noKey = { ...signer, check: unreachable }
  expect(await createReadiness(noKey, [{ name: 'API_KEYS' }], Date.now)()).toMatchObject({ isReady: false })
})
