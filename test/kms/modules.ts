import { aws } from './aws.ts'
import { azure } from './azure.ts'
import { google } from './google.ts'
import type { KmsModule } from './suite.ts'
import { vault } from './vault.ts'

export const modules: Record<string, KmsModule> = { vault, aws, google, azure }
