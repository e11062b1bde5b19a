import { createTokenServiceFromEnv } from 'membrane-token/service'

const service = createTokenServiceFromEnv(process.env)

const { url } = Bun.serve({
  port: process.env.PORT ?? 3000,
  fetch: (request, server) => service(request, { clientAddress: server.requestIP(request)?.address }),
})

console.log(`Listening on ${url}`)
