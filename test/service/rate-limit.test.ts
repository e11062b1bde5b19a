import { expect, test, vi } from 'vitest'
import { networkOf } from '../../src/endpoint/http/network.ts'
import { limitBy } from '../../src/service.ts'
import { authenticate, get, keys, service, tokenRequest } from './harness.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['2a06:98c0:3600::103', undefined],
  [undefined, undefined],
])('the network of %s is %s', (clientAddress, expected) => {
  expect(networkOf(get('/'), { clientAddress })).toBe(expected)
})

test('CF-Connecting-IP is used on Workers only', () => {
  const request = new Request('https://tokens.test/', { headers: { 'CF-Connecting-IP': '192.0.2.1' } })
  expect(networkOf(request, {})).toBeUndefined()
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
  expect(networkOf(request, {})).toBe('192.0.2.1')
  expect(networkOf(request, { clientAddress: '192.0.2.2' })).toBe('192.0.2.2')
  vi.unstubAllGlobals()
})

function limitedService(limit: number) {
  const counts = new Map<string, number>()
  const limiter = {
    limit: async ({ key }: { key: string }) => {
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return { success: count <= limit }
    },
  }
  let time = Date.UTC(2026, 0)
  const verify = vi.fn(authenticate)
  const handler = service({ authenticate: verify, rateLimit: limitBy(limiter), now: () => time })
  return {
    counts,
    verify,
    wait: (seconds: number) => {
      time += seconds * 1000
    },
    send: async (key: string, clientAddress?: string) =>
      (await handler(tokenRequest(key), clientAddress === undefined ? {} : { clientAddress })).status,
  }
}

test('without an address, failed attempts are not limited', async () => {
  const { counts, send } = limitedService(1)
  expect([await send('a'), await send('b'), await send('c')]).toEqual([401, 401, 401])
  expect([...counts.keys()]).toEqual([])
})

test('over the limit, rejected credentials are not verified again for a minute, other credentials are', async () => {
  const { send, verify, wait } = limitedService(1)
  const address = '192.0.2.1'
  expect([await send('a', address), await send('a', address)]).toEqual([401, 429])
  expect(verify).toHaveBeenCalledTimes(2)
  expect([await send('a', address), await send('a', '192.0.2.2')]).toEqual([429, 429])
  expect(verify).toHaveBeenCalledTimes(2)
  expect([await send('b', address), await send(keys.backend, address)]).toEqual([429, 200])
  expect(verify).toHaveBeenCalledTimes(4)
  wait(60)
  await send('a', address)
  expect(verify).toHaveBeenCalledTimes(5)
})

test('callers are counted by name, failed attempts by network', async () => {
  const { counts, send } = limitedService(9)
  await send(keys.backend, '192.0.2.1')
  await send('unknown', '2001:db8::1')
  await send('other', '2001:db8::2')
  expect(Object.fromEntries(counts)).toEqual({ 'service:backend': 1, 'address:2001:db8:0:0': 2 })
})
