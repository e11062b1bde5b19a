// The portable suite: Web APIs only. The environment has the addresses of the servers.

import type { Algorithm, MembraneTokenError } from '../../src/index.ts'
import type * as kms from '../../src/kms.ts'
import type { Library, Suite } from '../conformance/suite.ts'
import { assert, equal, rejects } from '../conformance/suite.ts'

export type Kms = typeof kms

export interface Environment {
  vault: {
    address: string
    rootToken: string
    token: string
    readOnlyToken: string
    roleId: string
    secretId: string
  }
  cloud: {
    address: string
    serviceAccountKey: { client_email: string; private_key: string; token_uri: string }
  }
  aws: { endpoint: string; keys: Record<string, string>; disabled: string; deleted: string }
}

export type KmsModule = (suite: Suite, lib: Library, kms: Kms, environment: Environment) => void

/** A token signed with the key verifies with the public key, and the support is recorded. */
export async function signsTokens(
  suite: Suite,
  lib: Library,
  form: string,
  privateKey: kms.RemoteKey,
  algorithm: Algorithm,
): Promise<void> {
  const signer = await lib.createSigner({ workspaceKey: 'ws', privateKey, algorithm, keyId: 'thumbprint' })
  const { token } = await signer.signCustomerToken({ id: 'customer-1', name: 'Ada' })
  const verifier = await lib.createVerifier({
    workspaceKey: 'ws',
    publicKey: signer.publicJwk as JsonWebKey & { kty: string },
    algorithms: [algorithm],
  })
  const verified = await verifier.verify(token)
  assert(verified.kind === 'customer' && verified.id === 'customer-1')
  suite.supports('sign', form, algorithm)
}

/** Registers a test for each key and algorithm. */
export function testSignatures(
  suite: Suite,
  lib: Library,
  service: string,
  keys: Readonly<Record<string, readonly Algorithm[]>>,
  open: (key: string) => Promise<kms.RemoteKey>,
  version?: string,
): void {
  for (const [key, algorithms] of Object.entries(keys)) {
    for (const algorithm of algorithms) {
      suite.test(`${key} signs ${algorithm}`, async () => {
        const opened = await open(key)
        if (version !== undefined) equal(opened.version, version)
        await signsTokens(suite, lib, service, opened, algorithm)
      })
    }
  }
}

/** Registers a test for each invalid option. The message names the option unless another one is given. */
export function testInvalidOptions<Options>(
  { test }: Suite,
  open: (options: Options) => unknown,
  valid: Options,
  cases: readonly (readonly [option: string, change: object, message?: RegExp])[],
): void {
  for (const [option, change, message = new RegExp(`${option.split('.').at(-1)}`)] of cases) {
    test(`rejects ${option} in ${JSON.stringify(change)}`, () =>
      rejectsWith(() => open({ ...valid, ...change }), 'ERR_OPTION_INVALID', message, option))
  }
}

/** Registers a test for each invalid URI. */
export function testInvalidUris(
  { test }: Suite,
  provider: kms.KmsProvider,
  uris: readonly string[],
  variables: Record<string, string> = {},
): void {
  for (const uri of uris) {
    test(`rejects the URI ${uri}`, () =>
      rejectsWith(() => provider.open(uri, variables), 'ERR_OPTION_INVALID', /URI/, 'uri'))
  }
}

/** Rejects with this code and a matching message. */
export async function rejectsWith(
  run: () => unknown,
  code: string,
  message: RegExp,
  option?: string,
): Promise<void> {
  const error = (await rejects(run, code)) as MembraneTokenError
  assert(message.test(error.message), `"${error.message}" does not match ${message}`)
  if (option !== undefined) equal(error.option, option)
}
