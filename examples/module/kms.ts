import process from 'node:process'
import { createSigner } from 'membrane-token'
import { awsKms } from 'membrane-token/kms'

const privateKey = await awsKms({
  keyId: 'alias/membrane',
  region: 'eu-central-1',
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
  },
  endpoint: process.env.AWS_ENDPOINT_URL_KMS, // default: the region's endpoint
})

// Signs once to check that the key and its public half match.
const signer = await createSigner({
  workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
  privateKey,
  keyId: 'thumbprint',
})

console.log((await signer.signCustomerToken({ id: 'customer-42' })).token)
