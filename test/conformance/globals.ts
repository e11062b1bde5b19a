/** Replaces a global during `run`. `replaced` is false if the runtime does not allow it. */
export async function replaceFor(
  owner: object,
  name: string,
  value: unknown,
  run: (replaced: boolean) => Promise<void>,
): Promise<void> {
  const own = Object.getOwnPropertyDescriptor(owner, name)
  // In the edge runtime of Next.js, some globals can be assigned but not redefined.
  const descriptor =
    own?.configurable === false ? { value } : { value, configurable: true, writable: true, enumerable: true }
  // WebKit keeps the cached value of a getter unless it is deleted first.
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
