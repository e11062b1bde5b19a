import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import jwt from 'jsonwebtoken'
import { type Algorithm, createSigner, createVerifier, inspectToken } from '../../src/index.ts'
import { openssl } from '../unit/openssl.ts'
import { hasVectors, readVectors, readVectorText, withOtherSignature } from '../unit/vectors.ts'
import { claimsOf, type KeyPair, type KeysOf, subjects, workspaceKey } from './fixtures.ts'
import type { Language } from './languages.ts'
import { type Job, type JobResult, type ProgramOutput, runJobs } from './program.ts'
import { customer, type SampleName, samples } from './samples.ts'

export type Direction = 'theirs' | 'ours'

/** A check, and the cell of the table that shows its result. */
export interface Check {
  title: string
  cell?: { algorithm: Algorithm; direction: Direction; mark: string }
  verify(): unknown
}

/** A check of the result of a job. */
export interface JobCheck extends Omit<Check, 'verify'> {
  job: Job
  verify(result: JobResult): unknown
}

const expiresAt = new Date(Math.floor(Date.now() / 1000 + 3600) * 1000)
const exp = expiresAt.getTime() / 1000

/** `createVerifier` accepts what their library signs, with the same claims. */
export function signingChecks(language: Language, keysOf: KeysOf): JobCheck[] {
  return language.algorithms.flatMap((algorithm) => {
    const isOversalted = hasOversaltedSignatures(language, algorithm)
    const pairs = keysOf(algorithm).filter(({ form }) => language.forms.includes(form))
    return pairs.flatMap((pair) =>
      subjects.map((subject): JobCheck => {
        const { isAdmin, ...claims } = subject.claims
        const kind = isAdmin ? 'admin' : 'customer'
        return {
          title: `signs for ${subject.name} with ${algorithm}, ${pair.form}`,
          cell: { algorithm, direction: 'theirs', mark: isOversalted ? 'r' : '✓' },
          job: { action: 'sign', algorithm, ...pair.signing, claims: claimsOf(subject, exp) },
          verify: async ({ token, error }) => {
            assert.ok(token, error)
            if (isOversalted) return expectRejected(token, pair)
            const verifier = await createVerifier({ workspaceKey, ...pair.verifier })
            const { issuedAt, ...verified } = await verifier.verify(token)
            assert.deepEqual(verified, { kind, workspaceKey, ...claims, expiresAt, algorithm })
            assert.deepEqual(problemsOf(token), [])
            const modified = verifier.verify(withOtherSignature(token))
            await assert.rejects(modified, { code: 'ERR_TOKEN_SIGNATURE_INVALID' })
          },
        }
      }),
    )
  })
}

/**
 * dgrijalva/jwt-go uses the longest possible salt for PS* signatures. RFC 7518 section 3.5 requires a salt as long as
 * the hash, so both this module and jsonwebtoken, with which Membrane verifies, reject them.
 */
function hasOversaltedSignatures({ library }: Language, algorithm: Algorithm): boolean {
  return library === 'dgrijalva/jwt-go' && algorithm.startsWith('PS')
}

async function expectRejected(token: string, { verifier }: KeyPair): Promise<void> {
  const ours = await createVerifier({ workspaceKey, ...verifier })
  await assert.rejects(ours.verify(token), { code: 'ERR_TOKEN_SIGNATURE_INVALID' })
  assert.throws(() => jwt.verify(token, 'publicKey' in verifier ? verifier.publicKey : ''), {
    message: 'invalid signature',
  })
}

/** Their library verifies what `createSigner` signs, and rejects it with another signature. */
export async function verificationChecks(language: Language, keysOf: KeysOf): Promise<JobCheck[]> {
  const checks: JobCheck[] = []
  for (const algorithm of language.algorithms) {
    for (const pair of keysOf(algorithm)) {
      for (const { name, claimStyle, claims } of subjects) {
        const signer = await createSigner({ workspaceKey, algorithm, claimStyle, ...pair.signer })
        const { id = '', ...rest } = claims
        const { token } = claims.isAdmin
          ? await signer.signAdminToken()
          : await signer.signCustomerToken({ id, ...rest })
        const title = `verifies what we sign for ${name} with ${algorithm}, ${pair.form}`
        const cell = { algorithm, direction: 'ours', mark: '✓' } as const
        const job = { action: 'verify', algorithm, ...pair.verification } as const
        checks.push(
          {
            title,
            cell,
            job: { ...job, token },
            verify: (result) => assert.deepEqual(result, { claims: payloadOf(token) }),
          },
          {
            title: `${title}: not with another signature`,
            cell,
            job: { ...job, token: withOtherSignature(token) },
            verify: ({ error }) => assert.ok(error, 'accepted'),
          },
        )
      }
    }
  }
  return checks
}

/** Tokens that a library has signed earlier, because it cannot be installed here. */
export function vectorChecks({ vectors }: Language): Check[] {
  if (!vectors || !hasVectors) return []
  type Vector = { algorithm: Algorithm; key: string; claims: Record<string, unknown>; token: string }
  return readVectors<Vector[]>(`foreign/${vectors.file}.json`).map(({ algorithm, key, claims, token }) => ({
    title: `accepts a token of ${vectors.library} with ${algorithm}`,
    cell: { algorithm, direction: 'theirs', mark: 'v' },
    verify: async () => {
      const { iss, exp, ...customer } = claims
      const verifier = await createVerifier({
        workspaceKey: String(iss),
        ...(key === 'secret'
          ? { secret: readVectorText('foreign/keys/secret.txt') }
          : { publicKey: readVectorText(`foreign/keys/${key}.pub.pem`) }),
      })
      const { expiresAt, ...verified } = await verifier.verify(token)
      assert.deepEqual(verified, { kind: 'customer', workspaceKey: iss, ...customer, algorithm })
    },
  }))
}

/** The page's samples, in which only the placeholders are replaced. */
export function sampleChecks(
  { folder, samples: names }: Language,
  { samples: tokens }: ProgramOutput,
  keysOf: KeysOf,
): Check[] {
  return names.map((name) => ({
    title: `signs with the page's sample for a ${name}`,
    verify: async () => {
      const token = tokens[name]
      assert.ok(token, 'no token')
      const { algorithm, claimStyle, claims, fields, lifetime } = samples[folder]![name]
      assert.deepEqual(Object.keys(payloadOf(token)), claims)
      assert.deepEqual([inspectToken(token).claimStyle, problemsOf(token)], [claimStyle, []])
      const verifier = await createVerifier({ workspaceKey, ...samplePair(name, keysOf).verifier })
      const { issuedAt, expiresAt, ...verified } = await verifier.verify(token)
      const expected = { kind: 'customer', workspaceKey, ...customer, ...(fields && { fields }), algorithm }
      assert.deepEqual(verified, expected)
      const age = lifetime - (expiresAt.getTime() - Date.now()) / 1000
      assert.ok(age > -1 && age < 300, `it expires ${age} s too early`)
    },
  }))
}

/** The key that is pasted into a sample. */
export function samplePair(name: SampleName, keysOf: KeysOf, form = 'traditional'): KeyPair {
  return name === 'secret' ? keysOf('HS512')[0]! : keysOf('ES256').find((pair) => pair.form === form)!
}

/** A token without `exp`, as the samples sign without that line. Membrane would accept it forever. */
export function missingExpChecks(language: Language, keysOf: KeysOf): JobCheck[] {
  const pair = keysOf('HS256')[0]!
  if (!language.forms.includes(pair.form)) return []
  return subjects.slice(0, 1).map((subject) => ({
    title: 'signs without exp: EXP_MISSING',
    job: { action: 'sign', algorithm: 'HS256', ...pair.signing, claims: claimsOf(subject, undefined) },
    verify: async ({ token, error }) => {
      assert.ok(token, error)
      assert.deepEqual(problemsOf(token), ['EXP_MISSING'])
      const verifier = await createVerifier({ workspaceKey, ...pair.verifier })
      await assert.rejects(verifier.verify(token), { code: 'ERR_TOKEN_CLAIM_INVALID' })
    },
  }))
}

/** Python's sample uses local time as UTC. */
export function localTimeChecks(language: Language, folder: string, keysOf: KeysOf): Check[] {
  const zones = {
    'America/New_York': { problems: ['EXPIRED', 'EXP_NAIVE_LOCAL_TIME'], verdict: 'ERR_TOKEN_EXPIRED' },
    'Asia/Tokyo': { problems: ['EXP_NAIVE_LOCAL_TIME'], verdict: 'accepted' },
  }
  return Object.entries(zones).map(([TZ, { problems, verdict }]) => ({
    title: `signs with the page's samples in ${TZ}: ${problems.join(', ')}`,
    verify: async () => {
      const { samples: tokens } = await runJobs(language.command(folder), folder, [], { TZ })
      const found = Object.entries(tokens)
      assert.equal(found.length, 2)
      for (const [name, token] of found) {
        assert.deepEqual(problemsOf(token), problems)
        const { verifier } = samplePair(name as SampleName, keysOf)
        const verdicts = (await createVerifier({ workspaceKey, ...verifier })).verify(token).then(
          () => 'accepted',
          (error) => error.code,
        )
        assert.equal(await verdicts, verdict)
      }
    },
  }))
}

/** Go's sample reads only SEC1 without parameters. This module reads every format that `openssl` writes. */
export function sec1Checks(folder: string): JobCheck[] {
  const sec1 = openssl('ecparam -name prime256v1 -genkey')
  const publicKey = openssl('pkey -pubout', sec1)
  const forms: Record<string, { pem: string; error?: RegExp }> = {
    'ecparam -genkey -noout': { pem: openssl('ec', sec1) },
    'ecparam -genkey': { pem: sec1, error: /failed to parse EC private key|asn1/ },
    genpkey: { pem: openssl('pkcs8 -topk8 -nocrypt', sec1), error: /use ParsePKCS8PrivateKey instead/ },
  }
  return Object.entries(forms).map(([name, { pem, error: expected }], at) => {
    const keyFile = join(folder, `sec1-${at}.pem`)
    writeFileSync(keyFile, pem, { mode: 0o600 })
    return {
      title: `${expected ? 'rejects' : 'reads'} a key of openssl ${name}, which createSigner reads`,
      job: { action: 'parse', keyFile },
      verify: async ({ error }) => {
        if (expected) assert.match(error ?? 'accepted', expected)
        else assert.equal(error, undefined)
        const { token } = await (await createSigner({ workspaceKey, privateKey: pem })).signCustomerToken(
          customer,
        )
        const verifier = await createVerifier({ workspaceKey, publicKey })
        assert.equal((await verifier.verify(token)).algorithm, 'ES256')
      },
    }
  })
}

const problemsOf = (token: string): string[] => inspectToken(token).problems.map(({ code }) => code)

const payloadOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
