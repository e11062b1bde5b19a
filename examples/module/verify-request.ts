import { createRequestVerifier, MembraneTokenError } from 'membrane-token'

const verifier = await createRequestVerifier({
  workspaceKey: process.env.MEMBRANE_WORKSPACE_KEY ?? '',
  secret: process.env.MEMBRANE_WORKSPACE_SECRET ?? '',
})

export async function handler(request: Request): Promise<Response> {
  try {
    const { customerId, fields } = await verifier.verify(request)
    return Response.json({ hello: customerId, fields })
  } catch (error) {
    if (!(error instanceof MembraneTokenError && error.code.startsWith('ERR_TOKEN_'))) throw error
    return new Response(null, { status: 401 })
  }
}
