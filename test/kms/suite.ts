// The portable suite: Web APIs only, against servers whose addresses it is given.

import type { Algorithm, MembraneTokenError } from '../../src/index.ts'
import type * as kmsDoor from '../../src/kms.ts'
import type { Library, Suite } from '../conformance/suite.ts'
import { assert, equal, rejects } from '../conformance/suite.ts'

export type Kms = typeof kmsDoor

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

/** A token signed with the key verifies with the public half, and the support is recorded. */
export async function signsTokens(
  suite: Suite,
  lib: Library,
  form: string,
  privateKey: kmsDoor.RemoteKey,
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

/** Rejects with this code and a message that matches, without text of a credential. */
export async function rejectsSaying(
  run: () => unknown,
  code: string,
  message: RegExp,
  option?: string,
): Promise<void> {
  const error = (await rejects(run, code)) as MembraneTokenError
  assert(message.test(error.message), `"${error.message}" does not match ${message}`)
  if (option !== undefined) equal(error.option, option)
}
