import { verifyMembraneRequest } from 'membrane-token'

export async function handler(request: Request): Promise<Response> {
  const { customerId, fields } = await verifyMembraneRequest(request, {
    workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
    secret: process.env.MEMBRANE_WORKSPACE_SECRET ?? '',
  })
  return Response.json({ hello: customerId, fields })
}
