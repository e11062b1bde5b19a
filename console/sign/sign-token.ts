import { type Algorithm, type ClaimStyle, createSigner, type SignedToken } from 'membrane-token'
import type { PastedKey } from '../keys/use-key.ts'

/** The values of the form. */
export interface SignForm {
  kind: 'customer' | 'admin'
  workspaceKey: string
  key: string
  algorithm: Algorithm | ''
  keyId: string
  usesThumbprint: boolean
  claimStyle: ClaimStyle
  expiresIn: string
  jwtId: string
  allowsShortSecret: boolean
  id: string
  name: string
  fields: string
}

export const EMPTY_FORM: SignForm = {
  kind: 'customer',
  workspaceKey: '',
  key: '',
  algorithm: '',
  keyId: '',
  usesThumbprint: false,
  claimStyle: 'issuer',
  expiresIn: '2h',
  jwtId: '',
  allowsShortSecret: false,
  id: '',
  name: '',
  fields: '',
}

/**
 * Signs a token with the values of the form.
 *
 * @throws `MembraneTokenError`, and `SyntaxError` if the fields are not JSON
 */
export async function signToken(form: SignForm, pasted: PastedKey): Promise<SignedToken> {
  const isSecret = pasted.kind !== 'key'
  const signer = await createSigner({
    workspaceKey: form.workspaceKey,
    ...(isSecret ? { secret: form.key } : { privateKey: form.key }),
    ...(form.algorithm && { algorithm: form.algorithm }),
    ...(form.usesThumbprint && !isSecret ? { keyId: 'thumbprint' } : form.keyId && { keyId: form.keyId }),
    claimStyle: form.claimStyle,
    ...(isSecret && form.allowsShortSecret && { allowShortSecret: true }),
    trustedBrowser: true,
  })
  const seconds = /^\d+$/.test(form.expiresIn) ? Number(form.expiresIn) : form.expiresIn
  const options = { expiresIn: seconds, ...(form.jwtId && { jwtId: form.jwtId }) }
  if (form.kind === 'admin') return signer.signAdminToken(options)
  const fields = form.fields.trim() === '' ? undefined : (JSON.parse(form.fields) as Record<string, unknown>)
  return signer.signCustomerToken(
    { id: form.id, ...(form.name && { name: form.name }), ...(fields !== undefined && { fields }) },
    options,
  )
}
