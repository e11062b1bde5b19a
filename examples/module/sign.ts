import { createSigner } from 'membrane-token'

// Do this once, when the program starts: it imports the key.
const signer = await createSigner({
  workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
  secret: process.env.MEMBRANE_WORKSPACE_SECRET,
})

// Do this for each token. The id must come from a session that you have verified.
const { token, expiresAt } = await signer.signCustomerToken({
  id: 'customer-42',
  name: 'Acme Inc.',
  fields: { plan: 'trial' },
})

console.log(token, expiresAt)
