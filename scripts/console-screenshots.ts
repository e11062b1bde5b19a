// `npm run console:screenshots`: takes screenshots of the four views of the console page for the documentation.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { buildConsole } from './build-console.ts'

const [output = fileURLToPath(new URL('../docs/images/', import.meta.url)), variants = ''] =
  process.argv.slice(2)

const WORKSPACE_KEY = 'acme-workspace'

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Fills in each view before its screenshot. */
const VIEWS: readonly [name: string, tab: string, prepare: (page: Page) => Promise<void>][] = [
  [
    'inspect',
    'Inspect',
    async (page) => {
      await page.getByRole('button', { name: 'Use an example' }).click()
      await page.getByText('No problems found').waitFor()
      const token = await page.getByLabel('Paste a token').inputValue()
      await page.getByLabel('Paste a token').fill(`"Authorization: Bearer ${token}"`)
    },
  ],
  [
    'sign',
    'Sign',
    async (page) => {
      await page.getByLabel('Workspace key', { exact: true }).fill(WORKSPACE_KEY)
      await page.getByRole('button', { name: 'Make a key pair' }).click()
      await page.getByLabel('Customer id', { exact: true }).fill('customer-42')
      await page.getByLabel('Customer name', { exact: true }).fill('Acme Inc.')
      await page.getByLabel('Fields as JSON').fill('{ "plan": "trial" }')
      await page.getByText('private key, PKCS#8 PEM').waitFor()
      await page.getByRole('button', { name: 'Sign', exact: true }).click()
      await page.getByText('Signed token').waitFor()
    },
  ],
  [
    'keys',
    'Keys',
    async (page) => {
      await page.getByRole('button', { name: 'Generate' }).click()
      const key = await page.locator('figure:has-text("Private key") pre').textContent()
      await page.getByLabel('Paste a key').fill(key ?? '')
      await page.getByText('Thumbprint', { exact: true }).waitFor()
    },
  ],
  [
    'set-up',
    'Set-up',
    async (page) => {
      const claims = {
        iss: 'https://acme.eu.auth0.com/',
        sub: 'auth0|65f0c1',
        org_id: 'org_42',
        org_name: 'Acme Inc.',
        plan: 'trial',
        aud: 'https://api.acme.example',
      }
      await page.getByLabel('Domain').fill('acme.eu.auth0.com')
      await page.getByLabel('API identifier (aud)').fill('https://api.acme.example')
      await page
        .getByLabel('Sample session')
        .fill(`${encode({ alg: 'RS256' })}.${encode(claims)}.${'A'.repeat(342)}`)
      await page.getByRole('button', { name: 'Customer id from org_id' }).click()
      await page.getByRole('button', { name: 'Name from org_name' }).click()
      await page.getByLabel('Origins of your app').fill('https://app.acme.example')
    },
  ],
]

const directory = await mkdtemp(join(tmpdir(), 'membrane-token-console-'))
const file = join(directory, 'console.html')
await writeFile(file, await buildConsole())
await mkdir(output, { recursive: true })
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-lcd-text'],
})
try {
  await shoot('', { width: 980, height: 600 }, 'light')
  if (variants) {
    await shoot('-dark', { width: 980, height: 600 }, 'dark')
    await shoot('-phone', { width: 360, height: 740 }, 'light')
  }
} finally {
  await browser.close()
  await rm(directory, { recursive: true, force: true })
}

async function shoot(
  suffix: string,
  viewport: { width: number; height: number },
  colorScheme: 'light' | 'dark',
): Promise<void> {
  const page = await browser.newPage({ viewport, colorScheme, timezoneId: 'Europe/Berlin' })
  await page.goto(pathToFileURL(file).href)
  for (const [name, tab, prepare] of VIEWS) {
    await page.getByRole('tab', { name: tab }).click()
    await prepare(page)
    await page.evaluate(() => {
      ;(document.activeElement as HTMLElement | null)?.blur()
      scrollTo(0, 0)
      for (const area of document.querySelectorAll('textarea')) area.scrollTop = 0
    })
    await page.screenshot({ path: join(output, `console-${name}${suffix}.png`), fullPage: variants !== '' })
  }
  await page.close()
}
