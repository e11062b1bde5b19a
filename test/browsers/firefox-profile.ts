import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes a Firefox profile's preferences.
 *
 * @param proxy For every connection, so that no request leaves this machine
 */
export function writePreferences(profile: string, { host, port }: { host: string; port: number }): void {
  const preferences = {
    'network.proxy.type': 1,
    'network.proxy.http': host,
    'network.proxy.http_port': port,
    'network.proxy.ssl': host,
    'network.proxy.ssl_port': port,
    'dom.security.https_first': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'toolkit.telemetry.enabled': false,
    'browser.shell.checkDefaultBrowser': false,
  }
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  )
  writeFileSync(join(profile, 'user.js'), lines.join(''))
}
