import { chromium } from 'playwright-core'
import type { Browser, BrowserOptions } from './browser.ts'

/** Debian's Chromium, over the DevTools protocol. */
export async function startChromium({ url, proxy }: BrowserOptions): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    proxy: { server: proxy },
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  })
  const page = await browser.newPage()
  await page.goto(url)
  return {
    evaluate: (expression) => page.evaluate(expression),
    click: (x, y) => page.mouse.click(x, y),
    type: (text) => page.keyboard.insertText(text),
    press: (key) => page.keyboard.press(key),
    close: () => browser.close(),
  }
}
