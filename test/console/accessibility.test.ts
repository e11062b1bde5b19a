import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSigner, generateKeyPair } from '../../src/index.ts'
import { type ConsoleFile, sessionOf, writeConsole } from './browsers/fixture.ts'

const SECRET = 'a secret of more than thirty-two bytes'

const open = async (page: Page, tab: string): Promise<void> => {
  await page.getByRole('tab', { name: tab, exact: true }).click()
}
const fill = async (page: Page, label: string, text: string): Promise<void> => {
  await page.getByLabel(label, { exact: true }).fill(text)
}
const click = async (page: Page, name: string): Promise<void> => {
  await page.getByRole('button', { name, exact: true }).click()
}
const see = async (page: Page, text: string): Promise<void> => {
  await page.getByText(text).filter({ visible: true }).first().waitFor()
}

async function signExpired(): Promise<string> {
  const signer = await createSigner({ workspaceKey: 'workspace-1', secret: SECRET, now: () => 1.7e12 })
  return (await signer.signCustomerToken({ id: 'customer-42' })).token
}

/** States of the page by view, each with the steps that produce it. */
const STATES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'Inspect, empty': async () => {},
  'Inspect, a token that verifies': async (page) => {
    const signer = await createSigner({ workspaceKey: 'workspace-1', secret: SECRET })
    const { token } = await signer.signCustomerToken({ id: 'customer-42', fields: { plan: 'trial' } })
    await fill(page, 'Paste a token', token)
    await fill(page, 'Secret, public key or key set', SECRET)
    await see(page, 'Verified with HS512')
  },
  'Inspect, a list of problems and another secret': async (page) => {
    await fill(page, 'Paste a token', `"Bearer ${await signExpired()}"`)
    await fill(page, 'Secret, public key or key set', `${SECRET}!`)
    await see(page, 'EXPIRED')
    await see(page, 'ERR_TOKEN_SIGNATURE_INVALID')
  },
  'Inspect, text that is not a token': async (page) => {
    await fill(page, 'Paste a token', 'hello')
    await see(page, 'Not a Membrane token')
  },
  'Inspect, a session of an identity provider': async (page) => {
    await fill(page, 'Paste a token', sessionOf({ iss: 'https://acme.eu.auth0.com/', sub: 'user_1' }))
    await see(page, 'Set up the token service for it')
  },
  'Sign, empty': async () => {},
  'Sign, an error': async (page) => {
    await fill(page, 'Workspace secret or private key', 'too short ')
    await page.getByText('Options', { exact: true }).click()
    await click(page, 'Sign')
    await see(page, 'ERR_')
  },
  'Sign, a signed token': async (page) => {
    await fill(page, 'Workspace key', 'workspace-1')
    await click(page, 'Make a key pair')
    await see(page, 'private key, PKCS#8 PEM')
    await fill(page, 'Customer id', 'customer-42')
    await click(page, 'Sign')
    await see(page, 'Signed token')
  },
  'Sign, an admin token for the SDK': async (page) => {
    await fill(page, 'Workspace key', 'workspace-1')
    await fill(page, 'Workspace secret or private key', SECRET)
    await see(page, 'Read as: secret')
    await page.getByLabel('Admin token', { exact: true }).check()
    await click(page, 'Sign')
    await page.getByRole('tab', { name: 'SDK' }).click()
  },
  'Keys, empty': async () => {},
  'Keys, a generated pair and a pasted key': async (page) => {
    await click(page, 'Generate')
    await fill(page, 'Paste a key', (await generateKeyPair('ES384')).privateKey)
    await see(page, 'Thumbprint')
  },
  'Keys, a key with problems': async (page) => {
    await fill(page, 'Paste a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----')
    await see(page, 'ERR_KEY_INVALID')
  },
  'Keys, text that is not a key': async (page) => {
    await fill(page, 'Paste a key', 'hello')
    await see(page, 'Not a key')
  },
  'Set-up, empty': async () => {},
  'Set-up, claims of a session': async (page) => {
    await fill(
      page,
      'Sample session (optional)',
      sessionOf({ iss: 'https://clerk.acme.example', org: { id: 'a' } }),
    )
    await click(page, 'Customer id from org.id')
  },
  'Set-up, a very long session': async (page) => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`claim_${index}`, 'x'.repeat(300)]),
    )
    await fill(page, 'Sample session (optional)', sessionOf({ iss: 'https://clerk.acme.example', ...many }))
    await see(page, 'more claims than are listed')
    expect(await page.getByRole('button', { name: /^Field from/ }).count()).toBe(30)
  },
  'Set-up, a sample without claims': async (page) => {
    await fill(page, 'Sample session (optional)', 'hello')
    await page.getByRole('tab', { name: 'Node, Deno, Bun' }).click()
  },
}

describe('the page', { timeout: 60_000 }, () => {
  let file: ConsoleFile
  let browser: Browser
  let page: Page
  let axe: string
  beforeAll(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    file = await writeConsole()
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    })
    page = await browser.newPage()
    page.setDefaultTimeout(20_000)
    await page.goto(file.url)
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    file?.remove()
  })

  for (const [name, show] of Object.entries(STATES)) {
    test(`${name}: no accessibility problems in either theme`, async () => {
      await page.reload()
      await page.evaluate(axe)
      await open(page, name.split(',')[0] ?? '')
      await show(page)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        const { violations } = (await page.evaluate('axe.run()')) as AxeResults
        expect(
          violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${colorScheme}: ${id}: ${html}`)),
        ).toEqual([])
      }
    })
  }

  /** WCAG 2.2, 1.4.4 and 1.4.10. */
  for (const view of ['Inspect', 'Sign', 'Keys', 'Set-up']) {
    test(`${view}: does not scroll horizontally at 360 px or with text at 200 %`, async () => {
      await page.setViewportSize({ width: 360, height: 740 })
      await page.reload()
      await fill(
        page,
        'Paste a token',
        sessionOf({ iss: 'https://acme.eu.auth0.com/', sub: 'user_1', exp: 2e9 }),
      )
      await open(page, view)
      const widths = (await page.evaluate(`['100%', '200%'].map((size) => {
        document.documentElement.style.fontSize = size === '100%' ? '' : '30px'
        const { scrollWidth } = document.documentElement
        document.documentElement.style.fontSize = ''
        return scrollWidth
      })`)) as number[]
      expect(widths).toEqual([360, 360])
    })
  }
})
