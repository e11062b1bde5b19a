/** Membrane's API; `/self` returns the customer of a token. */
const API = 'https://api.getmembrane.com'

const shellQuote = (text: string): string => `'${text.replace(/'/g, `'\\''`)}'`

/** Writes a curl command that uses the token. */
export const curlCommand = (token: string): string =>
  `curl ${API}/self \\\n  -H ${shellQuote(`Authorization: Bearer ${token}`)}`

/** Writes a program that uses the token with Membrane's SDK. */
export const sdkProgram = (token: string): string =>
  `import { MembraneClient } from '@membranehq/sdk'

// For testing only. In an app, pass a function that gets a token from your server.
const membrane = new MembraneClient({
  fetchToken: async () => ${JSON.stringify(token)},
})
console.log(await membrane.self.get())
`
