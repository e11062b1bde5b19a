import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { ALGORITHMS, type Algorithm } from '../../src/algorithms.ts'
import type { KeyForm } from './fixtures.ts'
import { type Command, run } from './program.ts'
import type { SampleName } from './samples.ts'

/** A library, and the program of this folder that uses it. */
export interface Language {
  name: string
  library: string
  /** Tokens that another library signed earlier, in `../shared/vectors/foreign/`. */
  vectors?: { file: string; library: string }
  /** Folder in `test/interop/`. Each run uses a copy in which the samples' placeholders are filled in. */
  folder: string
  algorithms: readonly Algorithm[]
  /** The forms of private keys that it reads. Empty: it does not sign. */
  forms: readonly KeyForm[]
  /** The page's samples that its program signs with. */
  samples: readonly SampleName[]
  /** Form of the key that is pasted into the page's sample. */
  sampleForm: KeyForm
  /** Line break in the pasted key. */
  lineBreak?: string
  /** Installs the libraries. If this fails, the language is skipped. */
  install(folder: string): Promise<unknown>
  build?(folder: string): Promise<unknown>
  command(folder: string): Command
  env?: Record<string, string>
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const cache = join(root, 'node_modules/.cache/interop')

/** A cached folder for a toolchain and its list of libraries. An incomplete folder is filled again. */
async function cached(
  name: string,
  inputs: string[],
  fill: (folder: string) => Promise<unknown>,
): Promise<string> {
  const digest = createHash('sha256').update(inputs.join('\n')).digest('hex')
  const folder = join(cache, `${name}-${digest.slice(0, 12)}`)
  const done = join(folder, '.done')
  if (!existsSync(done)) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    await fill(folder)
    writeFileSync(done, '')
  }
  return folder
}

const all = Object.keys(ALGORITHMS) as Algorithm[]

/** What most programs support. */
const complete = {
  algorithms: all,
  forms: ['secret', 'text', 'traditional', 'pkcs8'],
  samples: ['secret', 'key'],
  sampleForm: 'traditional',
} as const

function go(name: string, library: string, sample: SampleName): Language {
  return {
    name: 'Go',
    library,
    folder: 'go',
    ...complete,
    samples: [sample],
    install: (folder) => run(['go', 'mod', 'download'], { cwd: folder }),
    build: (folder) => run(['go', 'build', '-o', 'interop', '.'], { cwd: folder }),
    command: (folder) => [join(folder, 'interop'), name],
  }
}

let python = ''
let jars = ''
const classPath = (folder: string) => `${folder}:${join(jars, '*')}`

export const languages: readonly Language[] = [
  {
    name: 'JavaScript',
    library: 'jsonwebtoken',
    folder: 'javascript',
    ...complete,
    install: async (folder) => symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')),
    command: () => [process.execPath, 'main.mjs'],
  },
  {
    name: 'Python',
    library: 'PyJWT',
    folder: 'python',
    ...complete,
    install: async (folder) => {
      const inputs = [await run(['python3', '-VV']), readFileSync(join(folder, 'requirements.txt'), 'utf8')]
      const venv = await cached('python', inputs, async (target) => {
        await run(['python3', '-m', 'venv', target])
        await run([join(target, 'bin/pip'), 'install', '--quiet', '-r', 'requirements.txt'], { cwd: folder })
      })
      python = join(venv, 'bin/python')
    },
    command: () => [python, 'main.py'],
    // The sample uses local time as UTC.
    env: { TZ: 'UTC' },
  },
  go('golang-jwt', 'golang-jwt/jwt/v5', 'secret'),
  go('dgrijalva', 'dgrijalva/jwt-go', 'key'),
  {
    name: 'Ruby',
    library: 'jwt',
    folder: 'ruby',
    ...complete,
    install: () => run(['ruby', '-e', "require 'jwt'"]),
    command: () => ['ruby', 'main.rb'],
  },
  {
    name: 'Java',
    library: 'jjwt',
    folder: 'java',
    ...complete,
    // Java itself reads no other form.
    forms: ['secret', 'text', 'pkcs8'],
    sampleForm: 'pkcs8',
    lineBreak: '\\n',
    install: async (folder) => {
      await run(['javac', '-version'])
      jars = await cached('java', [readFileSync(join(folder, 'pom.xml'), 'utf8')], (target) =>
        run(['mvn', '-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${target}`], {
          cwd: folder,
        }),
      )
    },
    build: (folder) =>
      run(['javac', '-encoding', 'UTF-8', '-cp', classPath(folder), 'Main.java'], { cwd: folder }),
    // Before Java 18, getBytes() in the sample depends on the locale.
    command: (folder) => ['java', '-Dfile.encoding=UTF-8', '-cp', classPath(folder), 'Main'],
  },
  {
    name: 'PHP',
    library: 'openssl_verify, hash_hmac',
    vectors: { file: 'php', library: 'firebase/php-jwt 7.0.5' },
    folder: 'php',
    // openssl_verify does not support PSS.
    algorithms: all.filter((algorithm) => !algorithm.startsWith('PS')),
    forms: [],
    samples: [],
    sampleForm: 'pkcs8',
    install: () => run(['php', '-r', 'exit(function_exists("openssl_verify") ? 0 : 1);']),
    command: () => ['php', 'main.php'],
  },
]
