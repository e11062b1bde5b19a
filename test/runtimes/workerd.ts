import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { bundleEntry, runConformanceInWorkerd } from './in-workerd.ts'
import { report } from './report.ts'

const script = await bundleEntry(fileURLToPath(new URL('workerd-entry.ts', import.meta.url)))
process.exitCode = report(await runConformanceInWorkerd(script))
