import { inspectKey, type VerifierOptions } from 'membrane-token'
import { parseObject } from '../http.ts'
import { printable } from '../terminal.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import { request, type Target } from './target.ts'

/** JWK members of private and symmetric keys (RFC 7518 sections 6.2.2, 6.3.2 and 6.4). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

export type KeySet = Extract<VerifierOptions['jwks'], { keys: unknown }>

/** Fetches the published key set; undefined if it cannot be read. */
export async function fetchKeySet(target: Target): Promise<KeySet | undefined> {
  const response = await request(target, '/.well-known/jwks.json')
  const set = response.status === 200 ? parseObject(response.text) : undefined
  return isKeySet(set) ? set : undefined
}

function isKeySet(set: { keys?: unknown } | undefined): set is KeySet {
  return Array.isArray(set?.keys) && set.keys.every((key) => typeof key === 'object' && key !== null)
}

/** Checks that all keys are public and usable, and that several have a `kid`. */
export async function checkKeySet(set: KeySet | undefined): Promise<readonly Finding[]> {
  if (!set) {
    return [
      error(
        'key set',
        '/.well-known/jwks.json cannot be read as a JWK set.',
        'Allow this path without a sign-in: Membrane fetches it.',
      ),
    ]
  }
  const { keys } = set
  if (keys.length === 0) return [ok('key set', 'Empty: the service signs with the workspace secret.')]
  if (keys.some((key) => PRIVATE_MEMBERS.some((member) => member in key))) {
    return [
      error(
        'key set',
        'The key set contains a private key!',
        'Remove it, replace the key pair immediately, and publish only public keys.',
      ),
    ]
  }
  if (keys.length > 1 && keys.some(({ kid }) => typeof kid !== 'string'))
    return [
      warning(
        'key set',
        'A key has no kid.',
        'Give every key a kid, so that Membrane can find the right one.',
      ),
    ]
  for (const key of keys) {
    const [problem] = (await inspectKey(key)).problems
    if (problem) {
      return [
        error(
          'key set',
          `The key ${nameOf(key)} cannot be used: ${printable(problem.message)}`,
          'Publish only RSA, P-256, P-384 and P-521 public keys.',
        ),
      ]
    }
  }
  const ids = keys.map(nameOf).join(', ')
  return [ok('key set', `${keys.length} public ${keys.length === 1 ? 'key' : 'keys'}: ${ids}`)]
}

function nameOf({ kid, alg }: KeySet['keys'][number]): string {
  return printable(`${kid ?? 'without kid'} (${alg ?? 'without alg'})`)
}
