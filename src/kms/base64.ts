import { decodeBase64 } from '../encoding.ts'

/** Encodes bytes as base64 with padding (RFC 4648 section 4), as the services expect. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(Reflect.apply(String.fromCharCode, undefined, bytes))
}

/** Decodes base64 or base64url, with or without padding; `undefined` for anything else. */
export function decodeAnyBase64(text: unknown): Uint8Array | undefined {
  return typeof text === 'string' ? decodeBase64(text.replace(/-/g, '+').replace(/_/g, '/')) : undefined
}
