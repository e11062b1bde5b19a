import { setTimeout as wait } from 'node:timers/promises'
import type { Browser } from './browser.ts'

/** Uses the page as a person does: finds elements by their labels, clicks, types and reads. */
export interface Person {
  /** Opens a tab. */
  open(tab: string): Promise<void>
  /** Clicks a button, a labeled control or a link. */
  click(name: string): Promise<void>
  /** Replaces the text of a field. */
  fill(label: string, text: string): Promise<void>
  /** Waits until the page shows a text, and returns all visible text. */
  read(expected: string | RegExp): Promise<string>
  /** Returns the value of a field, or the text of a copy box. */
  value(label: string): Promise<string>
}

// Runs in the page. Visible elements only, because the panels of other tabs are hidden.
const FIND = `((kind, name) => {
  const clean = (text) => text.replace(/\\s+/g, ' ').trim()
  const isVisible = (element) => element.getClientRects().length > 0
  const named = (selector) =>
    [...document.querySelectorAll(selector)].filter(isVisible).find((element) => clean(element.textContent) === name)
  switch (kind) {
    case 'tab': return named('[role=tab]')
    case 'click': return named('button:not([role=tab])') ?? named('label')?.control ?? named('a')
    case 'field': return named('label')?.control
    case 'box': return named('figcaption > span')?.closest('figure').querySelector('pre')
  }
})`

const find = (kind: string, name: string): string =>
  `${FIND}(${JSON.stringify(kind)}, ${JSON.stringify(name)})`

export function createPerson(browser: Browser): Person {
  const until = async <T>(what: string, look: () => Promise<T | undefined | null>): Promise<T> => {
    for (let tries = 0; tries < 400; tries++) {
      const found = await look()
      if (found !== undefined && found !== null) return found
      await wait(50)
    }
    throw new Error(`${what} did not appear; the page shows:\n${await shown()}`)
  }
  const shown = async (): Promise<string> => String(await browser.evaluate('document.body.innerText'))
  const clickOn = async (kind: string, name: string): Promise<void> => {
    const [x, y] = await until(
      `${kind} "${name}"`,
      () =>
        browser.evaluate(`(() => {
          const element = ${find(kind, name)}
          if (!element) return null
          element.scrollIntoView({ block: 'center' })
          const { x, y, width, height } = element.getBoundingClientRect()
          return [Math.round(x + width / 2), Math.round(y + height / 2)]
        })()`) as Promise<[number, number] | null>,
    )
    await browser.click(x, y)
  }
  return {
    open: (tab) => clickOn('tab', tab),
    click: (name) => clickOn('click', name),
    fill: async (label, text) => {
      await clickOn('field', label)
      await browser.evaluate(`document.activeElement.select()`)
      await browser.type(text)
    },
    read: (expected) =>
      until(String(expected), async () => {
        const text = await shown()
        return (typeof expected === 'string' ? text.includes(expected) : expected.test(text)) ? text : null
      }),
    value: (label) =>
      until(`"${label}"`, async () => {
        const text = await browser.evaluate(
          `(${find('field', label)}?.value ?? ${find('box', label)}?.textContent ?? null)`,
        )
        return text as string | null
      }),
  }
}
