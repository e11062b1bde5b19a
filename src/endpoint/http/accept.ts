/** Whether `Accept` names `application/jwt` with a higher weight than JSON (RFC 9110 section 12.5.1). */
export function prefersBareToken(accept: string | null): boolean {
  if (accept === null || !/application\/jwt/i.test(accept)) return false
  const weights = new Map(accept.toLowerCase().split(',').map(readMediaRange))
  const jwt = weights.get('application/jwt') ?? 0
  const json = weights.get('application/json') ?? weights.get('application/*') ?? weights.get('*/*') ?? 0
  return jwt > json
}

function readMediaRange(range: string): [type: string, weight: number] {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  return [type, quality === undefined ? 1 : Number(quality) || 0]
}
