import { createVerifier, MembraneTokenError } from 'membrane-token'

const verifier = await createVerifier({
  workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
  secret: process.env.MEMBRANE_WORKSPACE_SECRET, // or publicKey, or jwks: new URL('https://…')
})

try {
  const verified = await verifier.verify(process.env.TOKEN ?? '')
  console.log(verified.kind === 'customer' ? verified.id : 'an admin', verified.expiresAt)
} catch (error) {
  if (!(error instanceof MembraneTokenError)) throw error
  console.log(error.code, error.message)
}
