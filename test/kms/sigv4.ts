// Compares the signature of a request to AWS with botocore's signature of the same request.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { awsKms } from '../../src/kms.ts'
import { cache } from './servers.ts'

const BOTOCORE = 'botocore==1.40.0'

const SCRIPT = `
import json, sys
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

given = json.load(sys.stdin)
auth = SigV4Auth(Credentials('AKIDEXAMPLE', 'secret/with+signs', 'session-token'), 'kms', 'eu-central-1')
request = AWSRequest(method='POST', url=given['url'], data=given['body'].encode(), headers=given['headers'])
request.context['timestamp'] = given['headers']['x-amz-date']
print(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))
`

/** @throws if the signatures differ */
export async function compareWithBotocore(): Promise<void> {
  const folder = join(cache, 'botocore')
  if (!existsSync(folder)) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--target', folder, BOTOCORE]
    execFileSync('python3', pip, { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  const { headers, body, url } = await captureRequest()
  const [, names = '', signature = ''] =
    /SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '') ?? []
  const signed = Object.fromEntries(names.split(';').map((name) => [name, String(headers[name])]))
  const expected = execFileSync('python3', ['-c', SCRIPT], {
    input: JSON.stringify({ url, body, headers: signed }),
    env: { ...process.env, PYTHONPATH: folder },
    encoding: 'utf8',
  }).trim()
  if (signature !== expected) throw new Error(`SigV4: ${signature} instead of botocore's ${expected}`)
}

async function captureRequest(): Promise<{ headers: IncomingHttpHeaders; body: string; url: string }> {
  let captured: { headers: IncomingHttpHeaders; body: string } | undefined
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    captured = { headers: request.headers, body }
    response.writeHead(400).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'secret/with+signs',
    sessionToken: 'session-token',
  }
  await awsKms({ keyId: 'alias/membrane', region: 'eu-central-1', credentials, endpoint }).catch(() => {})
  server.close()
  if (!captured) throw new Error('no request was sent')
  return { ...captured, url: `${endpoint}/` }
}
