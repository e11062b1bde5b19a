import process from 'node:process'
import * as lib from '../../src/index.ts'
import { modules } from '../conformance/index.ts'
import { assert, runSuite } from '../conformance/suite.ts'
import { report } from './report.ts'

// Bun and Deno both call themselves Node in places.
assert(process.release.name === 'node', 'this is not Node')
assert(!('Bun' in globalThis) && !('Deno' in globalThis), 'this is not Node')

process.exitCode = report(await runSuite(modules, lib, 'node', process.versions.node))
