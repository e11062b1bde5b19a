import { BlockList, isIP } from 'node:net'
import { UsageError } from '../terminal.ts'

/** The client of a request, as reported by trusted proxies. */
export interface Client {
  readonly address: string | undefined
  /** The protocol that the client used, if a trusted proxy reports it: `http` or `https`. */
  readonly protocol: string | undefined
}

export type FindClient = (peer: string | undefined, headers: Headers) => Client

/**
 * Creates a function that finds the client of a request. `X-Forwarded-For` and `X-Forwarded-Proto` are trusted only if
 * the connection comes from a trusted network; anyone else could forge them.
 *
 * @param networks CIDR networks and addresses, comma-separated
 * @throws UsageError if one is invalid
 */
export function createClientFinder(networks: string | undefined): FindClient {
  const trusted = readNetworks(networks ?? '')
  const isTrusted = (address: string): boolean => {
    const family = isIP(address)
    return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
  return (peer, headers) => {
    const direct = peer === undefined ? undefined : withoutMapping(peer)
    if (direct === undefined || !isTrusted(direct)) return { address: direct, protocol: undefined }
    const protocol = headers.get('X-Forwarded-Proto')?.split(',').at(-1)?.trim().toLowerCase()
    // From the last entry, which the nearest proxy added, back to the first address that is not a trusted proxy.
    let address = direct
    for (const entry of (headers.get('X-Forwarded-For') ?? '').split(',').reverse()) {
      const found = readAddress(entry.trim())
      if (found === undefined) break
      address = found
      if (!isTrusted(found)) break
    }
    return { address, protocol }
  }
}

function readNetworks(text: string): BlockList {
  const list = new BlockList()
  for (const network of text.split(',').map((part) => part.trim())) {
    if (network === '') continue
    const [address = '', prefix, ...rest] = network.split('/')
    const version = isIP(address)
    const longest = version === 6 ? 128 : 32
    const length = prefix === undefined ? longest : Number(prefix)
    const isNetwork = version !== 0 && rest.length === 0 && /^\d*$/.test(prefix ?? '') && prefix !== ''
    if (!isNetwork || length > longest) {
      throw new UsageError(
        'TRUSTED_PROXIES must be networks such as 10.0.0.0/8 or fd00::/8, comma-separated.',
      )
    }
    list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** An address with or without a port: `192.0.2.1`, `192.0.2.1:1234`, `2001:db8::1`, `[2001:db8::1]:1234`. */
function readAddress(text: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(text) ?? []
  const address = withoutMapping(bracketed ?? plain ?? text)
  return isIP(address) === 0 ? undefined : address
}

/** A dual-stack socket reports IPv4 clients as `::ffff:192.0.2.1`. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
