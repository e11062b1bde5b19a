import * as lib from '../../src/index.ts'
import { modules } from '../conformance/index.ts'
import { type Result, runSuite } from '../conformance/suite.ts'

/** What a route of the test's copy calls; see `run.ts`. */
export function runConformance(runtime: string, version: string): Promise<Result> {
  return runSuite(modules, lib, runtime, version)
}
