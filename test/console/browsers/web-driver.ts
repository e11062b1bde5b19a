import type { Browser } from './browser.ts'

/** WebDriver's code points for keys. */
const KEYS: Readonly<Record<string, string>> = {
  ArrowRight: '\uE014',
  '\n': '\uE007',
}

/** WebDriver actions that press and release keys. */
function toKeyActions(keys: readonly string[]): unknown[] {
  const actions = keys.flatMap((value) => [
    { type: 'keyDown', value: KEYS[value] ?? value },
    { type: 'keyUp', value: KEYS[value] ?? value },
  ])
  return [{ type: 'key', id: 'keyboard', actions }]
}

/** WebDriver actions that click at a point. */
const toPointerActions = (x: number, y: number): unknown[] => [
  {
    type: 'pointer',
    id: 'mouse',
    parameters: { pointerType: 'mouse' },
    actions: [
      { type: 'pointerMove', x, y },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ],
  },
]

/** @param perform Sends actions to the driver */
export function createInput(
  perform: (actions: unknown[]) => Promise<unknown>,
): Pick<Browser, 'click' | 'type' | 'press'> {
  return {
    click: async (x, y) => void (await perform(toPointerActions(x, y))),
    type: async (text) => void (await perform(toKeyActions([...text]))),
    press: async (key) => void (await perform(toKeyActions([key]))),
  }
}
