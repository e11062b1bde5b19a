import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto'
import * as fast from 'fast-jwt'
import jwt from 'jsonwebtoken'
import { EXPIRES_IN, keyOf, WORKSPACE_KEY } from './cases.ts'
import { type Contender, isHmac, keyText, withTextKey } from './contenders.ts'

/** `jsonwebtoken` needs `node:crypto`: it runs on Node, Deno, Bun, and workerd with `nodejs_compat`. */
export const JSONWEBTOKEN: Contender = {
  name: 'jsonwebtoken',
  sign: (input) => {
    const { algorithm, customer } = input
    const key = isHmac(algorithm)
      ? createSecretKey(Buffer.from(input.material.secret))
      : createPrivateKey(keyOf(input.material, algorithm).pkcs8)
    const options = { algorithm, issuer: WORKSPACE_KEY, expiresIn: EXPIRES_IN } as const
    const { id, name, fields } = customer
    return () => jwt.sign({ id, name, fields }, key, options)
  },
  verify: (input) => {
    const { algorithm, token } = input
    const key = isHmac(algorithm)
      ? createSecretKey(Buffer.from(input.material.secret))
      : createPublicKey(keyOf(input.material, algorithm).spki)
    const options = { algorithms: [algorithm], issuer: WORKSPACE_KEY }
    return () => jwt.verify(token, key, options)
  },
}

export const JSONWEBTOKEN_TEXT: Contender = {
  name: withTextKey(JSONWEBTOKEN.name),
  sign: ({ algorithm, material, customer }) => {
    const text = keyText(algorithm, material)
    const options = { algorithm, issuer: WORKSPACE_KEY, expiresIn: EXPIRES_IN } as const
    const { id, name, fields } = customer
    return () => jwt.sign({ id, name, fields }, text, options)
  },
}

/** `fast-jwt` uses Node APIs that workerd does not have. It takes the key as text, and creates a key object from it once. */
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
    const key = isHmac(algorithm) ? input.material.secret : keyOf(input.material, algorithm).spki
    const verify = fast.createVerifier({ key, algorithms: [algorithm], allowedIss: WORKSPACE_KEY })
    return () => verify(token)
  },
}

export const NODE_CONTENDERS: readonly Contender[] = [JSONWEBTOKEN, JSONWEBTOKEN_TEXT, FAST_JWT]
