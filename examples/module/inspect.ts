import { inspectToken } from 'membrane-token'

const { kind, claims, problems } = inspectToken(process.env.TOKEN ?? '')

console.log(kind, claims)
for (const { severity, message, fix } of problems) console.log(`${severity}: ${message} ${fix}`)
