'use client'

import { MembraneProvider } from '@membranehq/react'
import { createTokenProvider } from 'membrane-token/client'

// Replace it with the function of your identity provider's SDK, such as getAccessTokenSilently() of Auth0.
const getSessionToken = async (): Promise<string> => sessionStorage.getItem('session') ?? ''

// One for the page: it keeps the token until shortly before it expires. Make a new one when another user signs in.
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
