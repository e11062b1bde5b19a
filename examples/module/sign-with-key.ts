import { createSigner } from 'membrane-token'

const signer = await createSigner({
  workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
  privateKey: process.env.MEMBRANE_PRIVATE_KEY,
  expiresIn: '30m',
})

const { token } = await signer.signCustomerToken({ id: 'customer-42' })
const { token: adminToken } = await signer.signAdminToken({ expiresIn: 60 })

console.log(signer.algorithm, token, adminToken)
