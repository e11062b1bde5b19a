import type { Browser, BrowserOptions } from './browser.ts'
import { startChromium } from './chromium.ts'
import { startFirefox } from './firefox.ts'
import { startWebKit } from './webkit.ts'

/** The browsers in which the page is tested. */
export const BROWSERS: Readonly<Record<string, (options: BrowserOptions) => Promise<Browser>>> = {
  Chromium: startChromium,
  Firefox: startFirefox,
  WebKit: startWebKit,
}
