import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSigner } from '../../src/index.ts'
import type { Browser } from './browsers/browser.ts'
import { startChromium } from './browsers/chromium.ts'
import { type ConsoleFile, type Watch, watchNetwork, writeConsole } from './browsers/fixture.ts'
import { createPerson, type Person } from './browsers/person.ts'

describe('Inspect in Chromium', () => {
  let file: ConsoleFile
  let network: Watch
  let browser: Browser
  let person: Person

  beforeAll(async () => {
    file = await writeConsole()
    network = await watchNetwork()
    browser = await startChromium({ url: file.url, proxy: network.proxy })
    person = createPerson(browser)
  })
  afterAll(async () => {
    await browser?.close()
    network?.close()
    file?.remove()
  })

  test('says what a token is, and whether a secret verifies it', async () => {
    const secret = 'a secret of more than thirty-two bytes'
    const signer = await createSigner({ workspaceKey: 'workspace-1', secret })
    const { token } = await signer.signCustomerToken({ id: 'customer-42', name: 'Acme Inc.' })
    await person.fill('Paste a token', `"Bearer ${token}"`)
    expect(await person.read('Customer token')).toMatch(/"customer-42"/)
    await person.read(/Fix/)
    await person.fill('Workspace secret', secret)
    expect(await person.read('Verified with HS512')).toContain('customer-42')
    await person.fill('Workspace secret', `${secret}!`)
    await person.read('ERR_TOKEN_SIGNATURE_INVALID')
  })
})
