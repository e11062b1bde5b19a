// From the first line of a bundle to its first token, in a fresh process: code evaluated, key imported, token signed.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundle } from './bundling.ts'
import { customerWith, EXPIRES_IN, type Material, type Runtime, WORKSPACE_KEY } from './cases.ts'
import { OURS } from './contenders.ts'
import { median } from './rounds.ts'
import { COMMANDS } from './runtimes.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const run = promisify(execFile)

/** Milliseconds by contender and algorithm; medians. */
export type FirstTokens = Readonly<Record<string, number>>

/** What one writes with each: `key` holds the material, `claims` what all sign. */
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

/** Measures one runtime. */
export async function measureFirstToken(
  runtime: Exclude<Runtime, 'workerd'>,
  { secret, keys }: Material,
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
        for (const [key, pem] of [['HS512'], ['ES256', keys['P-256'].pkcs8]] as const) {
          const input = JSON.stringify({
            workspaceKey: WORKSPACE_KEY,
            secret,
            pem,
            customer: customerWith('small'),
          })
          const env = { ...process.env, NODE_NO_WARNINGS: '1', INPUT: input }
          const { stdout } = await run(command, [...args, join(folder, `${name}.mjs`)], { env })
          const [milliseconds, parts] = stdout.trim().split(' ').map(Number)
          if (parts !== 3) throw new Error(`${name} in ${runtime} signed no token`)
          times.set(`${name}, ${key}`, [...(times.get(`${name}, ${key}`) ?? []), milliseconds as number])
        }
      }
    }
    return Object.fromEntries([...times].map(([name, list]) => [name, median(list)]))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

// Requests for Node's modules in CommonJS need a \`require\` in a bundle of ES modules.
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
