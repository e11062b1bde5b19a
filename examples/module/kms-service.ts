import process from 'node:process'
import { awsKms } from 'membrane-token/kms'
import { createTokenServiceFromEnv } from 'membrane-token/service'

// MEMBRANE_PRIVATE_KEY = awskms:///alias/membrane
export const GET = createTokenServiceFromEnv(process.env, { kms: [awsKms] })
