import * as lib from '../../src/index.ts'
import { modules } from '../conformance/index.ts'
import { assert, runSuite } from '../conformance/suite.ts'
import { report } from './report.ts'

declare const Deno: { version: { deno: string }; exit(code: number): never }

assert(navigator.userAgent === `Deno/${Deno.version.deno}`, 'this is not Deno')

Deno.exit(report(await runSuite(modules, lib, 'deno', Deno.version.deno)))
