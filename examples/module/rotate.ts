import { createSigner, createVerifier, generateKeyPair } from 'membrane-token'

const workspaceKey = process.env.MEMBRANE_WORKSPACE_KEY ?? ''
const [old, next] = [await generateKeyPair(), await generateKeyPair()]

// 1. Publish the next public key beside the old one, and wait until verifiers have fetched it.
const published = { keys: [old.publicJwk, next.publicJwk] }

// 2. Sign with the next key. The old public key stays published …
const signer = await createSigner({ workspaceKey, privateKey: next.privateKey, keyId: next.keyId })

// 3. … until the last token that the old key signed has expired. Then remove it.
const retired = { keys: [next.publicJwk] }

const { token } = await signer.signCustomerToken({ id: 'customer-42' })
for (const jwks of [published, retired]) {
  const verifier = await createVerifier({ workspaceKey, jwks })
  console.log((await verifier.verify(token)).keyId === next.keyId)
}
