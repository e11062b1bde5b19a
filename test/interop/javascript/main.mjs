import { readFileSync } from 'node:fs'
import jwt from 'jsonwebtoken'
import { token as keySample } from './key-sample.mjs'
import { token as secretSample } from './secret-sample.mjs'

const readKey = ({ secret, keyFile }) => secret ?? readFileSync(keyFile, 'utf8')

const actions = {
  sign: (job) => ({ token: jwt.sign(job.claims, readKey(job), { algorithm: job.algorithm }) }),
  verify: (job) => ({ claims: jwt.verify(job.token, readKey(job), { algorithms: [job.algorithm] }) }),
}

function run(job) {
  try {
    return actions[job.action](job)
  } catch (error) {
    return { error: String(error) }
  }
}

const { version } = JSON.parse(readFileSync('node_modules/jsonwebtoken/package.json', 'utf8'))
const { jobs } = JSON.parse(readFileSync(0, 'utf8'))
const samples = { secret: secretSample, key: keySample }
process.stdout.write(JSON.stringify({ library: `jsonwebtoken ${version}`, samples, results: jobs.map(run) }))
