import { createTokenServiceFromEnv } from 'membrane-token/service'

// Settings are read on the first request, because `next build` loads this file too and has no secrets.
export const handler = createTokenServiceFromEnv(process.env)
