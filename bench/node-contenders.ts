import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto'
import * as fast from 'fast-jwt'
import jwt from 'jsonwebtoken'
import { EXPIRES_IN, keyOf, WORKSPACE_KEY } from './cases.ts'
import { asText, type Contender, isSecret, keyText } from './contenders.ts'

/** `jsonwebtoken` needs `node:crypto`: Node, Deno, Bun, and workerd with `nodejs_compat`. */
export const JSONWEBTOKEN: Contender = {
  name: 'jsonwebtoken',
  sign: (input) => {
    const { algorithm, customer } = input
    const key = isSecret(algorithm)
      ? createSecretKey(Buffer.from(input.material.secret))
      : createPrivateKey(keyOf(input.material, algorithm).pkcs8)
    const options = { algorithm, issuer: WORKSPACE_KEY, expiresIn: EXPIRES_IN } as const
    const { id, name, fields } = customer
    return () => jwt.sign({ id, name, fields }, key, options)
  },
  verify: (input) => {
    const { algorithm, token } = input
    const key = isSecret(algorithm)
      ? createSecretKey(Buffer.from(input.material.secret))
      : createPublicKey(keyOf(input.material, algorithm).spki)
    const options = { algorithms: [algorithm], issuer: WORKSPACE_KEY }
    return () => jwt.verify(token, key, options)
  },
}

export const JSONWEBTOKEN_TEXT: Contender = {
  name: asText(JSONWEBTOKEN.name),
  sign: ({ algorithm, material, customer }) => {
    const text = keyText(algorithm, material)
    const options = { algorithm, issuer: WORKSPACE_KEY, expiresIn: EXPIRES_IN } as const
    const { id, name, fields } = customer
    return () => jwt.sign({ id, name, fields }, text, options)
  },
}

/** `fast-jwt` needs more of Node than workerd has. It takes no key objects, and makes one itself, once. */
export const FAST_JWT: Contender = {
  name: 'fast-jwt',
  sign: (input) => {
    const { algorithm, customer } = input
    const key = keyText(algorithm, input.material)
    const sign = fast.createSigner({ key, algorithm, iss: WORKSPACE_KEY, expiresIn: EXPIRES_IN * 1000 })
    const { id, name, fields } = customer
    return () => sign({ id, name, fields })
  },
  verify: (input) => {
    const { algorithm, token } = input
    const key = isSecret(algorithm) ? input.material.secret : keyOf(input.material, algorithm).spki
    const verify = fast.createVerifier({ key, algorithms: [algorithm], allowedIss: WORKSPACE_KEY })
    return () => verify(token)
  },
}

export const NODE_CONTENDERS: readonly Contender[] = [JSONWEBTOKEN, JSONWEBTOKEN_TEXT, FAST_JWT]
