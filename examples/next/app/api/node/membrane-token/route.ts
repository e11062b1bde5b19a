export { GET, POST } from '../../membrane-token/route.ts'

export const runtime = 'nodejs'
