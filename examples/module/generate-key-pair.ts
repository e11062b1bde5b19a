import { generateKeyPair } from 'membrane-token'

const { privateKey, publicKey, publicJwk } = await generateKeyPair('ES256')

console.log(privateKey) // PKCS#8 PEM, for createSigner and the Worker; keep it secret
console.log(publicKey) // SPKI PEM, for Membrane's settings page
console.log(JSON.stringify({ keys: [publicJwk] })) // to publish as a JWK set instead
