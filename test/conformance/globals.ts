/** Puts `value` in place of a global for the length of `run`. A runtime may forbid it: then `replaced` is false. */
export async function replaceFor(
  owner: object,
  name: string,
  value: unknown,
  run: (replaced: boolean) => Promise<void>,
): Promise<void> {
  const own = Object.getOwnPropertyDescriptor(owner, name)
  // The globals of Next.js' edge runtime can be assigned, but not redefined.
  const descriptor =
    own?.configurable === false ? { value } : { value, configurable: true, writable: true, enumerable: true }
  // WebKit goes on reading what it has cached of a getter that is only redefined.
  if (own?.get && own.configurable) Reflect.deleteProperty(owner, name)
  const replaced = define(owner, name, descriptor)
  try {
    await run(replaced && Reflect.get(owner, name) === value)
  } finally {
    if (replaced && own) Object.defineProperty(owner, name, own)
    else if (replaced) Reflect.deleteProperty(owner, name)
  }
}

function define(owner: object, name: string, descriptor: PropertyDescriptor): boolean {
  try {
    return Reflect.defineProperty(owner, name, descriptor)
  } catch {
    return false
  }
}
