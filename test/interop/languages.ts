import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { ALGORITHMS, type Algorithm } from '../../src/algorithms.ts'
import type { KeyForm } from './fixtures.ts'
import { type Command, run } from './program.ts'
import type { SampleName } from './samples.ts'

/** One library, and the program of this folder that speaks for it. */
export interface Language {
  name: string
  library: string
  /** Where another than the library that verifies has signed, beforehand: `../shared/vectors/foreign/`. */
  vectors?: { file: string; library: string }
  /** Folder in `test/interop/`, of which each run uses a copy with the samples' placeholders filled in. */
  folder: string
  algorithms: readonly Algorithm[]
  /** The private keys that it reads as they are. Empty: it does not sign. */
  forms: readonly KeyForm[]
  /** The page's samples that its program signs with. */
  samples: readonly SampleName[]
  /** That of the key which is pasted into the page's sample. */
  sampleForm: KeyForm
  /** How a line break of the key is written where it is pasted. */
  lineBreak?: string
  /** Toolchain and libraries. Where this fails, the language is not run. */
  install(folder: string): Promise<unknown>
  build?(folder: string): Promise<unknown>
  command(folder: string): Command
  /** Of the ordinary run. */
  env?: Record<string, string>
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const cache = join(root, 'node_modules/.cache/interop')

/** A folder filled once for a toolchain and its list of libraries. What was half done is done again. */
async function once(
  name: string,
  inputs: string[],
  fill: (folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = join(
    cache,
    `${name}-${createHash('sha256').update(inputs.join('\n')).digest('hex').slice(0, 12)}`,
  )
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

function go(name: string, library: string, sample: SampleName): Language {
  return {
    name: 'Go',
    library,
    folder: 'go',
    algorithms: all,
    forms: ['secret', 'text', 'traditional', 'pkcs8'],
    samples: [sample],
    sampleForm: 'traditional',
    install: (folder) => run(['go', 'mod', 'download'], { cwd: folder }),
    build: (folder) => run(['go', 'build', '-o', 'interop', '.'], { cwd: folder }),
    command: (folder) => [join(folder, 'interop'), name],
  }
}

let python = ''
let jars = ''

export const languages: readonly Language[] = [
  {
    name: 'JavaScript',
    library: 'jsonwebtoken',
    folder: 'javascript',
    algorithms: all,
    forms: ['secret', 'text', 'traditional', 'pkcs8'],
    samples: ['secret', 'key'],
    sampleForm: 'traditional',
    install: async (folder) => symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')),
    command: () => [process.execPath, 'main.mjs'],
  },
  {
    name: 'Python',
    library: 'PyJWT',
    folder: 'python',
    algorithms: all,
    forms: ['secret', 'text', 'traditional', 'pkcs8'],
    samples: ['secret', 'key'],
    sampleForm: 'traditional',
    install: async (folder) => {
      const inputs = [await run(['python3', '-VV']), readFileSync(join(folder, 'requirements.txt'), 'utf8')]
      const venv = await once('python', inputs, async (target) => {
        await run(['python3', '-m', 'venv', target])
        await run([join(target, 'bin/pip'), 'install', '--quiet', '-r', 'requirements.txt'], { cwd: folder })
      })
      python = join(venv, 'bin/python')
    },
    command: () => [python, 'main.py'],
    // Its sample is right nowhere else.
    env: { TZ: 'UTC' },
  },
  go('golang-jwt', 'golang-jwt/jwt/v5', 'secret'),
  go('dgrijalva', 'dgrijalva/jwt-go', 'key'),
  {
    name: 'Ruby',
    library: 'jwt',
    folder: 'ruby',
    algorithms: all,
    forms: ['secret', 'text', 'traditional', 'pkcs8'],
    samples: ['secret', 'key'],
    sampleForm: 'traditional',
    install: () => run(['ruby', '-e', "require 'jwt'"]),
    command: () => ['ruby', 'main.rb'],
  },
  {
    name: 'Java',
    library: 'jjwt',
    folder: 'java',
    algorithms: all,
    // Java itself reads no other form.
    forms: ['secret', 'text', 'pkcs8'],
    samples: ['secret', 'key'],
    sampleForm: 'pkcs8',
    lineBreak: '\\n',
    install: async (folder) => {
      await run(['javac', '-version'])
      jars = await once('java', [readFileSync(join(folder, 'pom.xml'), 'utf8')], (target) =>
        run(['mvn', '-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${target}`], {
          cwd: folder,
        }),
      )
    },
    build: (folder) =>
      run(
        [
          'javac',
          '-encoding',
          'UTF-8',
          '-cp',
          join(jars, '*'),
          'Main.java',
          'SecretSample.java',
          'KeySample.java',
        ],
        {
          cwd: folder,
        },
      ),
    // Before Java 18, getBytes() and so the sample's secret depend on the locale.
    command: (folder) => ['java', '-Dfile.encoding=UTF-8', '-cp', `${folder}:${join(jars, '*')}`, 'Main'],
  },
  {
    name: 'PHP',
    library: 'openssl_verify, hash_hmac',
    vectors: { file: 'php', library: 'firebase/php-jwt 7.0.5' },
    folder: 'php',
    // openssl_verify knows no PSS.
    algorithms: all.filter((algorithm) => !algorithm.startsWith('PS')),
    forms: [],
    samples: [],
    sampleForm: 'pkcs8',
    install: () => run(['php', '-r', 'exit(function_exists("openssl_verify") ? 0 : 1);']),
    command: () => ['php', 'main.php'],
  },
]
