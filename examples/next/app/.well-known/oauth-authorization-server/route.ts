import { handler } from '../../../service.ts'

export { handler as GET, handler as OPTIONS, handler as POST }
