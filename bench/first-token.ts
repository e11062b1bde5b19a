// Measures the time to the first token in a new process: evaluate the bundle, import the key, sign the token.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundle } from './bundling.ts'
import { customerWith, EXPIRES_IN, type KeyMaterial, type Runtime, WORKSPACE_KEY } from './cases.ts'
import { OURS } from './contenders.ts'
import { median } from './rounds.ts'
import { COMMANDS } from './runtimes.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const run = promisify(execFile)

/** Milliseconds by contender and algorithm; medians. */
export type FirstTokens = Readonly<Record<string, number>>

/** A minimal program for each library. `HEAD` defines the other names that they use. */
const PROGRAMS: Readonly<Record<string, string>> = {
  [OURS]: `
    import { createSigner } from '../src/index.ts'
    const signer = await createSigner({ workspaceKey, ...(pem ? { privateKey: pem } : { secret }) })
    const { token } = await signer.signCustomerToken(customer)
    done(token)`,
  jose: `
    import { SignJWT } from 'jose/jwt/sign'
    import { importPKCS8 } from 'jose/key/import'
    const key = pem ? await importPKCS8(pem, 'ES256') : new TextEncoder().encode(secret)
    done(await new SignJWT(customer).setProtectedHeader({ alg: pem ? 'ES256' : 'HS512', typ: 'JWT' })
      .setIssuer(workspaceKey).setIssuedAt().setExpirationTime('2h').sign(key))`,
  jsonwebtoken: `
    import jwt from 'jsonwebtoken'
    done(jwt.sign(customer, pem ?? secret, { algorithm: pem ? 'ES256' : 'HS512', issuer: workspaceKey, expiresIn: ${EXPIRES_IN} }))`,
}

export async function measureFirstToken(
  runtime: Exclude<Runtime, 'workerd'>,
  { secret, keys }: KeyMaterial,
  rounds: number,
): Promise<FirstTokens> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-first-'))
  const [command, ...args] = COMMANDS[runtime]
  try {
    const times = new Map<string, number[]>()
    for (const [name, program] of Object.entries(PROGRAMS)) {
      await writeFile(join(folder, `${name}.mjs`), await bundleProgram(program))
    }
    for (let round = 0; round < rounds; round++) {
      for (const name of Object.keys(PROGRAMS)) {
        for (const [algorithm, pem] of [['HS512'], ['ES256', keys['P-256'].pkcs8]] as const) {
          const input = JSON.stringify({
            workspaceKey: WORKSPACE_KEY,
            secret,
            pem,
            customer: customerWith('small'),
          })
          const env = { ...process.env, NODE_NO_WARNINGS: '1', INPUT: input }
          const { stdout } = await run(command, [...args, join(folder, `${name}.mjs`)], { env })
          const [milliseconds, parts] = stdout.trim().split(' ').map(Number)
          if (parts !== 3) throw new Error(`${name} on ${runtime} signed no token`)
          const label = `${name}, ${algorithm}`
          times.set(label, [...(times.get(label) ?? []), milliseconds as number])
        }
      }
    }
    return Object.fromEntries([...times].map(([label, values]) => [label, median(values)]))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

// Defines `require`, because CommonJS code in the ES module bundle loads Node's modules with it.
const HEAD = `const started = performance.now()
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const done = (token) => console.log(performance.now() - started, token.split('.').length)
const { workspaceKey, secret, pem, customer } = JSON.parse(globalThis.process?.env.INPUT ?? Deno.env.get('INPUT'))`

const bundleProgram = (contents: string): Promise<string> =>
  bundle({
    stdin: { contents, resolveDir: here, loader: 'ts' },
    banner: { js: HEAD },
    minify: true,
    platform: 'node',
    conditions: [],
    external: [...builtinModules, 'node:*'],
  })
