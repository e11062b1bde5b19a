import { createSigner, type Signer, type SignerOptions } from '../src/token/signer.ts'
import { type Case, customerWith, fieldsOfSize, type KeyMaterial, WORKSPACE_KEY } from './cases.ts'
import {
  type CaseInput,
  type Contender,
  cryptoKey,
  makeInput,
  RAW,
  type Run,
  toBase64url,
} from './contenders.ts'

/** Benchmarks that are measured in turn: a case with all contenders, or several variants of this package alone. */
export type Group = Case | { readonly task: OwnTask }

export type OwnTask = 'key formats' | 'field sizes' | 'many signers'

export const isCase = (group: Group): group is Case => 'algorithm' in group

/** The runs of a group, ready to be measured. */
export interface Prepared {
  readonly runs: ReadonlyMap<string, Run>
  /** One token from each contender, to be verified with `jsonwebtoken`. */
  readonly tokens: Record<string, string>
  /** Error messages of the contenders that fail on this runtime. */
  readonly failures: Record<string, string>
}

/** Loads the keys of a group's contenders, runs each contender once and checks the result. */
export async function prepare(
  group: Group,
  contenders: readonly Contender[],
  material: KeyMaterial,
): Promise<Prepared> {
  if (!isCase(group))
    return { runs: new Map(await OWN_TASKS[group.task](material)), tokens: {}, failures: {} }

  const input = await makeInput(group.algorithm, group.fields, material)
  const prepared = {
    runs: new Map<string, Run>(),
    tokens: {} as Prepared['tokens'],
    failures: {} as Prepared['failures'],
  }
  for (const contender of contenders) {
    if (!contender[group.task] || contender.unsupported?.includes(group.algorithm)) continue
    try {
      const run = await load(contender, group, input)
      if (group.task === 'sign') prepared.tokens[contender.name] = toToken(await run(), input)
      else await checkVerifier(contender, group, input)
      prepared.runs.set(contender.name, run)
    } catch (error) {
      prepared.failures[contender.name] = String(error)
    }
  }
  return prepared
}

async function load(contender: Contender, { task }: Case, input: CaseInput): Promise<Run> {
  const run = await contender[task]?.(input)
  if (!run) throw new Error(`${contender.name} does not ${task}`)
  return run
}

function toToken(output: unknown, { token }: CaseInput): string {
  if (typeof output === 'string') return output
  if (output instanceof ArrayBuffer) {
    return `${token.slice(0, token.lastIndexOf('.'))}.${toBase64url(new Uint8Array(output))}`
  }
  return (output as { token: string }).token
}

async function checkVerifier(contender: Contender, benchCase: Case, input: CaseInput): Promise<void> {
  const output = await (await load(contender, benchCase, input))()
  const id = (output as { id?: string }).id ?? (output as { payload?: { id?: string } }).payload?.id
  if (contender.name === RAW ? output !== true : id !== input.customer.id) {
    throw new Error('does not return the signed claims')
  }
  // Changes the tenth character of the signature: the last one may contain unused bits.
  const at = input.token.lastIndexOf('.') + 10
  const token = `${input.token.slice(0, at)}${input.token[at] === 'A' ? 'B' : 'A'}${input.token.slice(at + 1)}`
  const forged = await load(contender, benchCase, { ...input, token })
  if (await Promise.try(forged).catch(() => false)) throw new Error('accepts a forged token')
}

/** Runs an operation `count` times, `concurrency` at a time. */
export async function repeat(run: Run, count: number, concurrency: number): Promise<void> {
  const first = run()
  if (!(first instanceof Promise)) {
    for (let done = 1; done < count; done++) run()
    return
  }
  await first
  if (concurrency === 1) {
    for (let done = 1; done < count; done++) await run()
    return
  }
  for (let done = 1; done < count; done += concurrency) {
    const running: unknown[] = []
    for (let index = Math.min(concurrency, count - done); index > 0; index--) running.push(run())
    await Promise.all(running)
  }
}

export const concurrencyOf = (group: Group): number => (isCase(group) ? group.concurrency : 1)

/** Benchmarks of this package alone. */
const OWN_TASKS: Readonly<Record<OwnTask, (material: KeyMaterial) => Promise<[string, Run][]>>> = {
  'key formats': keyFormats,
  'field sizes': fieldSizes,
  'many signers': manySigners,
}

/** `createSigner` with a key in every format. */
async function keyFormats(material: KeyMaterial): Promise<[string, Run][]> {
  const { 'P-256': ec, RSA: rsa } = material.keys
  const formats: Record<string, Pick<SignerOptions, 'secret' | 'privateKey'>> = {
    secret: { secret: material.secret },
    'CryptoKey, secret': { secret: await cryptoKey('HS512', material, 'sign') },
    'PKCS#8, P-256': { privateKey: ec.pkcs8 },
    'SEC1, P-256': { privateKey: ec.traditional },
    'JWK, P-256': { privateKey: ec.jwk },
    'CryptoKey, P-256': { privateKey: await cryptoKey('ES256', material, 'sign') },
    'PKCS#8, RSA-2048': { privateKey: rsa.pkcs8 },
    'PKCS#1, RSA-2048': { privateKey: rsa.traditional },
    'JWK, RSA-2048': { privateKey: rsa.jwk },
    'CryptoKey, RSA-2048': { privateKey: await cryptoKey('RS256', material, 'sign') },
  }
  return Object.entries(formats).map(([name, key]) => [
    name,
    () => createSigner({ workspaceKey: WORKSPACE_KEY, ...key }),
  ])
}

/** Bytes of JSON; with the last, the token has nearly 8192 characters, the maximum. */
const FIELD_SIZES = [64, 512, 1024, 2048, 4096, 5760]

async function fieldSizes({ secret }: KeyMaterial): Promise<[string, Run][]> {
  const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, secret })
  const customers = FIELD_SIZES.map((bytes) => ({ ...customerWith('small'), fields: fieldsOfSize(bytes) }))
  const named = customers.map(async (customer): Promise<[string, Run]> => {
    const { token } = await signer.signCustomerToken(customer)
    return [`${token.length}`, () => signer.signCustomerToken(customer)]
  })
  return Promise.all(named)
}

const SIGNER_COUNTS = [1, 10, 100, 1000, 10_000]

async function manySigners({ secret }: KeyMaterial): Promise<[string, Run][]> {
  const customer = customerWith('small')
  const named = SIGNER_COUNTS.map(async (count): Promise<[string, Run]> => {
    const signers: Signer[] = []
    for (let index = 0; index < count; index++) {
      signers.push(
        await createSigner({ workspaceKey: `${WORKSPACE_KEY}-${index}`, secret: `${secret}${index}` }),
      )
    }
    let turn = 0
    return [`${count}`, () => (signers[turn++ % count] as Signer).signCustomerToken(customer)]
  })
  return Promise.all(named)
}
