import { aws } from './aws.ts'
import type { KmsModule } from './suite.ts'
import { vault } from './vault.ts'

export const modules: Record<string, KmsModule> = { vault, aws }
