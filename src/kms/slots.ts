/** Maximum number of concurrent signatures per key. */
const SLOTS = 32
/** Milliseconds after which a slot is freed in any case; no signature takes that long. */
const LIFETIME = 5000

/** A limit on concurrent work. */
export interface Slots {
  /** Takes a slot and returns the function that frees it; `undefined` when all are taken. */
  take(): (() => void) | undefined
}

/** Slots that free themselves: in workerd, a request that is cancelled never runs its `finally` blocks. */
export function createSlots(now: () => number = () => performance.now()): Slots {
  const taken = new Set<{ expiresAt: number }>()
  return {
    take() {
      for (const slot of taken) if (slot.expiresAt <= now()) taken.delete(slot)
      if (taken.size >= SLOTS) return undefined
      const slot = { expiresAt: now() + LIFETIME }
      taken.add(slot)
      return () => void taken.delete(slot)
    },
  }
}
