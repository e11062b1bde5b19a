/** A user to sign in as, with the claims of their session. */
export interface DevUser {
  readonly sub: string
  readonly name: string
  readonly [claim: string]: unknown
}

/** Customers with and without extra claims, and with special characters, to test an app with. */
export const DEV_USERS: readonly DevUser[] = [
  { sub: 'customer-7', name: 'Globex Corp.' },
  { sub: 'customer-8', name: 'Initech GmbH', plan: 'enterprise' },
  { sub: 'kunde/ä 9', name: 'Müller & Söhne' },
]
