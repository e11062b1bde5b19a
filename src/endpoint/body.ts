import { isPlainObject } from '../claims.ts'
import { refusal } from './problem.ts'

/** Bytes. Membrane refuses tokens over 8 KiB, so no sensible request comes near. */
const BODY_LIMIT = 16 * 1024

const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i

/**
 * Reads the body of a request as a JSON object (RFC 8259), or as `{}` where there is no body.
 *
 * @throws a {@link Refusal}: `ERR_CONTENT_TYPE_UNSUPPORTED`, `ERR_BODY_TOO_LARGE`, `ERR_BODY_INVALID`
 */
export async function readJsonObject(request: Request): Promise<Record<string, unknown>> {
  const type = request.headers.get('Content-Type')
  if (type !== null && !JSON_TYPE.test(type)) throw unsupportedType()
  const text = await readText(request)
  if (text === '') return {}
  if (type === null) throw unsupportedType()
  const value = parseJson(text)
  if (!isPlainObject(value)) throw invalid('The body must be a JSON object, such as {"id":"customer-42"}.')
  return value
}

// Counted while reading: Content-Length may be absent or wrong.
async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get('Content-Length')) > BODY_LIMIT) throw tooLarge()
  // Firefox has no streams of requests.
  if (!request.body) return decodeWhole(await request.arrayBuffer())
  const reader = request.body.getReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let size = 0
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw invalid('The body broke off before its end.')
    })
    size += value?.byteLength ?? 0
    if (size > BODY_LIMIT) {
      reader.cancel().catch(() => {})
      throw tooLarge()
    }
    try {
      text += decoder.decode(value, { stream: !done })
    } catch {
      throw invalid('The body is not valid UTF-8.')
    }
    if (done) return text
  }
}

function decodeWhole(bytes: ArrayBuffer): string {
  if (bytes.byteLength > BODY_LIMIT) throw tooLarge()
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid('The body is not valid UTF-8.')
  }
}

function parseJson(text: string): unknown {
  let hasPrototype = false
  let value: unknown
  try {
    value = JSON.parse(text, (key, member) => {
      hasPrototype ||= key === '__proto__'
      return member
    })
  } catch {
    // The engine's message quotes the body.
    throw invalid('The body is not valid JSON, or is nested too deep.')
  }
  if (hasDuplicates(text)) throw invalid('The body must not have two members of the same name in one object.')
  // Harmless here, but whoever copies or merges the fields of the token later may not be so careful.
  if (hasPrototype) throw invalid('The body must not have a member named __proto__.')
  return value
}

/**
 * Whether an object of a valid JSON text has two members of one name (RFC 7493 section 2.3). Of these, one reader
 * takes the first and another the last, so that they would see two different customers.
 */
function hasDuplicates(text: string): boolean {
  const open: Set<unknown>[] = []
  for (const [token, colon] of text.matchAll(/[{}]|"(?:[^"\\]|\\.)*"(\s*:)?/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (colon !== undefined) {
      const name: unknown = JSON.parse(token.slice(0, -colon.length))
      if (open.at(-1)?.has(name)) return true
      open.at(-1)?.add(name)
    }
  }
  return false
}

function invalid(detail: string): Error {
  return refusal('ERR_BODY_INVALID', detail)
}

function tooLarge(): Error {
  return refusal('ERR_BODY_TOO_LARGE', `The body may have ${BODY_LIMIT} bytes at most.`)
}

function unsupportedType(): Error {
  return refusal(
    'ERR_CONTENT_TYPE_UNSUPPORTED',
    'Send the body as Content-Type: application/json, in UTF-8.',
    {
      Accept: 'application/json',
    },
  )
}
