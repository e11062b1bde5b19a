import * as lib from '../../src/index.ts'
import { modules } from '../conformance/index.ts'
import { type Result, runSuite } from '../conformance/suite.ts'

/** Called by routes of the copied example; see `run.ts`. */
export function runConformance(runtime: string, version: string): Promise<Result> {
  return runSuite(modules, lib, runtime, version)
}
