import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSigner, createVerifier, generateKeyPair } from '../../src/index.ts'
import { type OpenConsole, openConsole, sessionOf } from './browsers/fixture.ts'
import type { Person } from './browsers/person.ts'
import { BROWSERS } from './browsers/start.ts'

const WORKSPACE_KEY = 'workspace-1'

for (const [name, start] of Object.entries(BROWSERS)) {
  describe(name, { timeout: 120_000 }, () => {
    let page: OpenConsole
    let person: Person
    beforeAll(async () => {
      page = await openConsole(start)
      person = page.person
    })
    afterAll(() => page?.close())

    test('Inspect shows the claims and problems of a token, and verifies it with a secret', async () => {
      const secret = 'a secret of more than thirty-two bytes'
      const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, secret })
      const { token } = await signer.signCustomerToken({ id: 'customer-42', name: 'Acme Inc.' })
      await person.open('Inspect')
      await person.fill('Paste a token', `Bearer ${token}`)
      const shown = await person.read('Customer token')
      expect(shown).toContain('"customer-42"')
      expect(shown).toContain('BEARER_PREFIX')
      expect(shown).toMatch(/in 1 h 59 min|in 2 h/)
      await person.fill('Secret, public key or key set', secret)
      expect(await person.read('Verified with HS512')).toContain('It is for customer customer-42')
      await person.fill('Secret, public key or key set', `${secret}!`)
      await person.read('ERR_TOKEN_SIGNATURE_INVALID')
    })

    test('Inspect verifies with a public key and with a key set', async () => {
      const { privateKey, publicKey, publicJwk } = await generateKeyPair()
      const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, privateKey, keyId: 'thumbprint' })
      const { token } = await signer.signAdminToken()
      await person.open('Inspect')
      await person.fill('Paste a token', token)
      await person.fill('Secret, public key or key set', JSON.stringify(publicJwk))
      expect(await person.read('Verified with ES256')).toContain('public key, JWK, EC P-256')
      await person.fill('Secret, public key or key set', publicKey)
      expect(await person.read('Verified with ES256')).toContain('It is an admin token')
      await person.fill('Secret, public key or key set', JSON.stringify({ keys: [publicJwk] }))
      await person.read('key set with 1 key')
      await person.read('Verified with ES256')
    })

    test('Sign signs a valid token, with a key generated in the page', async () => {
      await person.open('Sign')
      await person.fill('Workspace key', WORKSPACE_KEY)
      await person.click('Make a key pair')
      await person.read('private key, PKCS#8 PEM, EC P-256')
      await person.fill('Customer id', 'customer-7')
      await person.fill('Fields as JSON', '{ "plan": "trial" }')
      await person.click('Sign')
      await person.read('Signed token')
      const publicKey = await person.value('Public key for Membrane')
      const token = await person.value('Token')
      const verifier = await createVerifier({ workspaceKey: WORKSPACE_KEY, publicKey })
      expect(await verifier.verify(token)).toMatchObject({ id: 'customer-7', fields: { plan: 'trial' } })
      expect(await person.value('Terminal')).toContain(`Authorization: Bearer ${token}`)
    })

    test('Sign names the error of a weak secret', async () => {
      await person.open('Sign')
      await person.fill('Workspace secret or private key', 'too short')
      await person.click('Sign')
      expect(await person.read('Not signed')).toContain('ERR_KEY_WEAK')
    })

    test('Keys describes a key, and generates a pair', async () => {
      const { privateKey, publicKey, keyId } = await generateKeyPair('ES384')
      await person.open('Keys')
      await person.fill('Paste a key', privateKey)
      const shown = await person.read(keyId)
      expect(shown).toContain('Private key, PKCS#8 PEM, EC P-384')
      expect(shown).toContain('ES384')
      expect((await person.value('Public half')).trim()).toBe(publicKey.trim())
      await person.click('Generate')
      expect(await person.value('Private key: into the Worker')).toContain('BEGIN PRIVATE KEY')
    })

    test('Keys reports that a text is not a key, and Sign accepts it as a secret', async () => {
      await person.open('Keys')
      await person.fill('Paste a key', 'a secret of more than thirty-two bytes')
      expect(await person.read('Not a key')).not.toContain('Read as')
      await person.open('Sign')
      await person.fill('Workspace secret or private key', 'a secret of more than thirty-two bytes')
      await person.read('Read as: secret')
    })

    test('Inspect recognizes a session, and Set-up its provider', async () => {
      const claims = { iss: 'https://acme.okta.com/oauth2/default', sub: 'user_1', org_id: 'org_42' }
      await person.open('Inspect')
      await person.fill('Paste a token', sessionOf(claims))
      expect(await person.read('This is a session of Okta')).toContain('IDENTITY_PROVIDER_TOKEN')
      await person.click('Set up the token service for it')
      await person.read('This is a session of Okta: use it')
    })

    test('Set-up writes the settings of a provider with the selected claims', async () => {
      const claims = { iss: 'https://clerk.acme.example', sub: 'user_1', org: { id: 'org_42' } }
      await person.open('Set-up')
      await person.click('Clerk')
      await person.fill('Frontend API URL', 'https://clerk.acme.example')
      await person.fill('Origin of your app (azp)', 'https://app.acme.example')
      await person.fill('Sample session (optional)', sessionOf(claims))
      await person.click('Customer id from org.id')
      const settings = await person.value('wrangler.toml')
      expect(settings).toBe(`[vars]
SESSION_ISSUER = "https://clerk.acme.example"
SESSION_JWKS_URI = "https://clerk.acme.example/.well-known/jwks.json"
SESSION_AUTHORIZED_PARTIES = "https://app.acme.example"
SESSION_CUSTOMER_ID_CLAIM = "org.id"
`)
      expect(await person.value('Secrets')).toContain('npx wrangler secret put MEMBRANE_WORKSPACE_KEY')
      expect(await person.value('Check the deployment')).toContain(' doctor https://')
    })

    test('the keyboard reaches every view', async () => {
      await person.open('Inspect')
      for (const view of ['Sign', 'Keys', 'Set-up', 'Inspect']) {
        await page.browser.press('ArrowRight')
        expect(await page.browser.evaluate('document.activeElement.textContent')).toBe(view)
        expect(
          await page.browser.evaluate(`document.querySelector('[role=tabpanel]:not([hidden])').innerText`),
        ).not.toBe('')
      }
    })
  })
}
