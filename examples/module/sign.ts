import { createSigner } from 'membrane-token'

// Once, when the program starts: the key is imported here, and only here.
const signer = await createSigner({
  workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
  secret: process.env.MEMBRANE_WORKSPACE_SECRET,
})

// Then for every token. The id must come from a session that you have verified.
const { token, expiresAt } = await signer.signCustomerToken({
  id: 'customer-42',
  name: 'Acme Inc.',
  fields: { plan: 'trial' },
})

console.log(token, expiresAt)
