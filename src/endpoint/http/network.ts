import { readContext } from '../../context.ts'

/** Address of every `fetch` from a Worker in another zone, so it does not identify a client. */
const WORKERS_ADDRESS = '2a06:98c0:3600::103'

/**
 * The network that a request comes from, by its trusted address: `clientAddress` of the context, or `CF-Connecting-IP`
 * on Workers, where Cloudflare sets it. For IPv4, including IPv4-mapped addresses, it is the address; for IPv6, the
 * /64.
 *
 * @returns `undefined` if the address is unknown
 */
export function networkOf(request: Request, context: object | undefined): string | undefined {
  const address = readContext(context).clientAddress ?? cloudflareAddress(request)
  return address === undefined || address === WORKERS_ADDRESS ? undefined : toNetwork(address)
}

// On other runtimes, any client could send the header.
function cloudflareAddress(request: Request): string | undefined {
  if (globalThis.navigator?.userAgent !== 'Cloudflare-Workers') return undefined
  return request.headers.get('CF-Connecting-IP') ?? undefined
}

function toNetwork(address: string): string {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i.exec(address)
  if (mapped?.[1]) return mapped[1]
  if (mapped) {
    const number = (Number.parseInt(mapped[2] as string, 16) << 16) | Number.parseInt(mapped[3] as string, 16)
    return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.')
  }
  const [head = '', tail = ''] = address.toLowerCase().split('%')[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0')
  return [...groups, ...zeros, ...rest]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
