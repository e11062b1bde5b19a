/** A user to sign in as: the claims of their session. */
export interface DevUser {
  readonly sub: string
  readonly name: string
  readonly [claim: string]: unknown
}

/** Customers of different kinds, so that what an app shows for each can be seen. */
export const DEV_USERS: readonly DevUser[] = [
  { sub: 'customer-7', name: 'Globex Corp.' },
  { sub: 'customer-8', name: 'Initech GmbH', plan: 'enterprise' },
  { sub: 'kunde/ä 9', name: 'Müller & Söhne' },
]
