import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { apiKeys } from 'membrane-token/endpoint'
import { describe, expect, test } from 'vitest'
import { readSettings } from '../../worker/settings.ts'
import { makeSettings } from './harness.ts'

const script = fileURLToPath(new URL('../../scripts/api-key.ts', import.meta.url))

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  const apiKey = /^mtk_[\w-]+$/m.exec(stdout)?.[0]
  const entry = /^\{.*\}$/m.exec(stdout)?.[0]
  return { status, stdout, stderr, apiKey, entry }
}

describe('npm run api-key', () => {
  test.each([
    [['backend'], ['customer']],
    [['backend', 'admin'], ['admin']],
    [
      ['a name with "quotes"', 'admin,customer'],
      ['admin', 'customer'],
    ],
  ])('%j makes a key that the Worker knows by the printed entry', async (args, scopes) => {
    const { status, stderr, apiKey, entry, stdout } = run(...args)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(Buffer.from(apiKey!.slice('mtk_'.length), 'base64url')).toHaveLength(32)
    expect(stdout.split(apiKey!)).toHaveLength(2)

    const API_KEYS = `[${entry}]`
    expect(await readSettings({ ...makeSettings().settings, API_KEYS })).not.toHaveProperty('faults')
    const authenticate = apiKeys({ keys: JSON.parse(API_KEYS) })
    const request = new Request('https://example.com', { headers: { Authorization: `Bearer ${apiKey}` } })
    expect(await authenticate(request)).toMatchObject({ kind: 'service', name: args[0], scopes })
  })

  test('never makes the same key twice', () => {
    expect(run('backend').apiKey).not.toBe(run('backend').apiKey)
  })

  test.each([
    [[]],
    [['']],
    [['backend', 'owner']],
    [['backend', '']],
    [['backend', 'customer', 'admin']],
    [['--name=x']],
  ])('%j makes none, and says how it is called', (args) => {
    const { status, stdout, stderr } = run(...args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('Usage: npm run api-key -- <name> [scopes]')
  })
})
