import process from 'node:process'
import * as lib from '../../src/index.ts'
import { modules } from '../conformance/index.ts'
import { assert, runSuite } from '../conformance/suite.ts'
import { report } from './report.ts'

declare const Bun: { version: string }

assert(navigator.userAgent === `Bun/${Bun.version}`, 'this is not Bun')

process.exitCode = report(await runSuite(modules, lib, 'bun', Bun.version))
