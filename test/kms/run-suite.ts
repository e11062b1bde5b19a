import * as lib from '../../src/index.ts'
import * as kms from '../../src/kms.ts'
import { type ConformanceModule, type Result, runSuite } from '../conformance/suite.ts'
import { modules } from './modules.ts'
import type { Environment } from './suite.ts'

/** Runs the suite on the current runtime. */
export function runKmsSuite(environment: Environment, runtime: string, version: string): Promise<Result> {
  const bound = Object.entries(modules).map(([name, register]): [string, ConformanceModule] => [
    name,
    (suite, library) => register(suite, library, kms, environment),
  ])
  return runSuite(Object.fromEntries(bound), lib, runtime, version)
}
