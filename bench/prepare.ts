import { createSigner, type Signer, type SignerOptions } from '../src/token/signer.ts'
import { type Case, customerWith, fieldsOfSize, type Material, WORKSPACE_KEY } from './cases.ts'
import {
  type CaseInput,
  type Contender,
  cryptoKey,
  makeInput,
  RAW,
  type Run,
  toBase64url,
} from './contenders.ts'

/** What is measured in one go, by contenders that take turns. All but cases have only ours, in several forms. */
export type Group = Case | { readonly task: OwnTask }

export type OwnTask = 'key forms' | 'size of fields' | 'signers held'

export const isCase = (group: Group): group is Case => 'algorithm' in group

/** What stands ready to be measured. */
export interface Prepared {
  readonly runs: ReadonlyMap<string, Run>
  /** A token of each contender that signs, for `jsonwebtoken` to verify. */
  readonly tokens: Record<string, string>
  /** Why a contender cannot do it here. */
  readonly failures: Record<string, string>
}

/** Loads the keys of all contenders of a group, and lets each of them do its work once. */
export async function prepare(
  group: Group,
  contenders: readonly Contender[],
  material: Material,
): Promise<Prepared> {
  if (!isCase(group)) return { runs: new Map(await OWN[group.task](material)), tokens: {}, failures: {} }

  const input = await makeInput(group.algorithm, group.fields, material)
  const prepared = {
    runs: new Map<string, Run>(),
    tokens: {} as Prepared['tokens'],
    failures: {} as Prepared['failures'],
  }
  for (const contender of contenders) {
    if (!contender[group.task] || contender.without?.includes(group.algorithm)) continue
    try {
      const run = await load(contender, group, input)
      if (group.task === 'sign') prepared.tokens[contender.name] = toToken(await run(), input)
      else await checkVerifying(contender, group, input)
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

async function checkVerifying(contender: Contender, benchCase: Case, input: CaseInput): Promise<void> {
  const good = await (await load(contender, benchCase, input))()
  const id = (good as { id?: string }).id ?? (good as { payload?: { id?: string } }).payload?.id
  if (contender.name === RAW ? good !== true : id !== input.customer.id) {
    throw new Error('it does not give back what was signed')
  }
  // The tenth character of the signature, not the last one: that may hold bits which mean nothing.
  const at = input.token.lastIndexOf('.') + 10
  const token = `${input.token.slice(0, at)}${input.token[at] === 'A' ? 'B' : 'A'}${input.token.slice(at + 1)}`
  const forged = await load(contender, benchCase, { ...input, token })
  if (await Promise.try(forged).catch(() => false)) throw new Error('it takes a forged token')
}

/** Does it so many times: one after the other, or 32 begun before the first is waited for. */
export async function repeat(run: Run, count: number, atOnce: number): Promise<void> {
  const first = run()
  if (!(first instanceof Promise)) {
    for (let done = 1; done < count; done++) run()
    return
  }
  await first
  if (atOnce === 1) {
    for (let done = 1; done < count; done++) await run()
    return
  }
  for (let done = 1; done < count; done += atOnce) {
    const running: unknown[] = []
    for (let index = Math.min(atOnce, count - done); index > 0; index--) running.push(run())
    await Promise.all(running)
  }
}

export const atOnceOf = (group: Group): number => (isCase(group) ? group.atOnce : 1)

/** What only this package is measured in. */
const OWN: Readonly<Record<OwnTask, (material: Material) => Promise<[string, Run][]>>> = {
  'key forms': keyForms,
  'size of fields': sizes,
  'signers held': holders,
}

/** `createSigner`, from every form of key. */
async function keyForms(material: Material): Promise<[string, Run][]> {
  const { 'P-256': ec, RSA: rsa } = material.keys
  const forms: Record<string, Pick<SignerOptions, 'secret' | 'privateKey'>> = {
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
  return Object.entries(forms).map(([name, form]) => [
    name,
    () => createSigner({ workspaceKey: WORKSPACE_KEY, ...form }),
  ])
}

/** Bytes of JSON; the last makes a token of nearly 8192 characters. */
const FIELD_SIZES = [64, 512, 1024, 2048, 4096, 5760]

async function sizes({ secret }: Material): Promise<[string, Run][]> {
  const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, secret })
  const customers = FIELD_SIZES.map((bytes) => ({ ...customerWith('small'), fields: fieldsOfSize(bytes) }))
  const named = customers.map(async (customer): Promise<[string, Run]> => {
    const { token } = await signer.signCustomerToken(customer)
    return [`${token.length}`, () => signer.signCustomerToken(customer)]
  })
  return Promise.all(named)
}

const SIGNERS_HELD = [1, 10, 100, 1000, 10_000]

async function holders({ secret }: Material): Promise<[string, Run][]> {
  const customer = customerWith('small')
  const named = SIGNERS_HELD.map(async (held): Promise<[string, Run]> => {
    const signers: Signer[] = []
    for (let index = 0; index < held; index++) {
      signers.push(
        await createSigner({ workspaceKey: `${WORKSPACE_KEY}-${index}`, secret: `${secret}${index}` }),
      )
    }
    let turn = 0
    return [`${held}`, () => (signers[turn++ % held] as Signer).signCustomerToken(customer)]
  })
  return Promise.all(named)
}
