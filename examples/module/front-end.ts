import { MembraneClient } from '@membranehq/sdk'
import { createTokenProvider } from 'membrane-token/client'

export function connectMembrane(getSessionToken: () => Promise<string>): MembraneClient {
  const fetchToken = createTokenProvider({
    url: 'https://membrane-token.example.workers.dev/api/membrane-token',
    headers: async () => ({ Authorization: `Bearer ${await getSessionToken()}` }),
  })
  return new MembraneClient({ fetchToken })
}
