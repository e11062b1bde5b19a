import type { Result } from '../conformance/suite.ts'

/** Prints the result as one line of JSON. @returns the exit code */
export function report({ failures, ...summary }: Omit<Result, 'support'>): 0 | 1 {
  for (const { name, message } of failures) console.error(`${summary.runtime}: ${name}\n  ${message}`)
  console.log(JSON.stringify(summary))
  return failures.length > 0 || summary.total === 0 ? 1 : 0
}
