import { createTokenServiceFromEnv } from 'membrane-token/service'

// Settings are read at the first request: `next build` loads this file too, and has no secrets.
export const handler = createTokenServiceFromEnv(process.env)
