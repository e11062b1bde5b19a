import { globSync } from 'node:fs'
import { writePreferences } from './firefox-profile.ts'

/** A browser engine, and how to start Debian's package of it without a screen. */
export interface Engine {
  readonly runtime: string
  /** Debian packages. */
  readonly packages: string
  /** Matches this engine only. */
  readonly userAgent: RegExp
  readonly binary: string
  /** A command that starts `binary` with a virtual screen. */
  readonly wrapper?: readonly string[]
  /** @param proxy For all hosts but localhost, so that no request leaves this machine */
  arguments(profile: string, proxy: { host: string; port: number }, url: string): string[]
  readonly env?: Record<string, string>
}

export const webkit = {
  runtime: 'webkitgtk',
  packages: 'webkit2gtk-driver xvfb xauth',
  userAgent: /^(?!.*Chrom).*\bAppleWebKit\/.*\bSafari\//,
  binary: globSync('/usr/lib/*/webkit2gtk-4.*/MiniBrowser')[0] ?? 'MiniBrowser',
  wrapper: ['xvfb-run', '--auto-servernum'],
  arguments: (_, { host, port }, url) => ['--private', `--proxy=http://${host}:${port}`, url],
  env: {
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    DBUS_SESSION_BUS_ADDRESS: 'disabled:',
    NO_AT_BRIDGE: '1',
  },
} satisfies Engine

export const engines: readonly Engine[] = [
  {
    runtime: 'chromium',
    packages: 'chromium',
    userAgent: /\bHeadlessChrome\//,
    binary: 'chromium',
    arguments: (profile, { host, port }, url) => [
      '--headless',
      // Its sandbox does not start as root, as in CI.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-breakpad',
      '--disable-features=HttpsUpgrades',
      '--no-first-run',
      `--proxy-server=http://${host}:${port}`,
      `--user-data-dir=${profile}`,
      url,
    ],
  },
  {
    runtime: 'firefox',
    packages: 'firefox-esr',
    userAgent: /\bFirefox\//,
    binary: 'firefox-esr',
    arguments: (profile, proxy, url) => {
      writePreferences(profile, proxy)
      return ['--headless', '--no-remote', '--profile', profile, url]
    },
  },
  webkit,
]
