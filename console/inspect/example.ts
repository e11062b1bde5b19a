import { createSigner } from 'membrane-token'

/** Creates an example token, signed with a random secret. */
export async function createExample(): Promise<string> {
  const signer = await createSigner({
    workspaceKey: 'example-workspace',
    secret: crypto.getRandomValues(new Uint8Array(64)),
    trustedBrowser: true,
  })
  const { token } = await signer.signCustomerToken({
    id: 'customer-42',
    name: 'Acme Inc.',
    fields: { plan: 'trial', seats: 12 },
  })
  return token
}
