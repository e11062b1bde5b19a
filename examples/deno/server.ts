import { createTokenServiceFromEnv } from 'membrane-token/service'

const service = createTokenServiceFromEnv(Deno.env.toObject())

Deno.serve({ port: Number(Deno.env.get('PORT') ?? 8000) }, (request, { remoteAddr }) =>
  service(request, { clientAddress: remoteAddr.hostname }),
)
