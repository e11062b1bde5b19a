'use client'

import { MembraneProvider } from '@membranehq/react'
import { createTokenProvider } from 'membrane-token/client'

// Replace this with your identity provider's SDK, such as Auth0's getAccessTokenSilently().
const getSessionToken = async (): Promise<string> => sessionStorage.getItem('session') ?? ''

// One per page: it keeps the token until shortly before it expires. Create a new one when another user signs in.
const fetchToken = createTokenProvider({
  url: '/api/membrane-token',
  headers: async () => ({ Authorization: `Bearer ${await getSessionToken()}` }),
})

export default function Page() {
  return (
    <MembraneProvider fetchToken={fetchToken}>
      <h1>Integrations</h1>
    </MembraneProvider>
  )
}
