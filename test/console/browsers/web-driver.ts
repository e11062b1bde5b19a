import type { Browser } from './browser.ts'

/** Keys that type nothing, as WebDriver writes them, and the line break. */
const KEYS: Readonly<Record<string, string>> = {
  Tab: '\uE004',
  ArrowRight: '\uE014',
  ArrowLeft: '\uE012',
  Home: '\uE011',
  End: '\uE010',
  '\n': '\uE007',
}

/** The actions of WebDriver that type a text, or press one named key. */
function toKeyActions(text: string, isKey = false): unknown[] {
  const values = isKey ? [text] : [...text]
  const actions = values.flatMap((value) => [
    { type: 'keyDown', value: KEYS[value] ?? value },
    { type: 'keyUp', value: KEYS[value] ?? value },
  ])
  return [{ type: 'key', id: 'keyboard', actions }]
}

/** The actions of WebDriver that click at a point. */
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

/** Mouse and keyboard. @param perform Sends actions to the driver */
export function createInput(
  perform: (actions: unknown[]) => Promise<unknown>,
): Pick<Browser, 'click' | 'type' | 'press'> {
  return {
    click: async (x, y) => void (await perform(toPointerActions(x, y))),
    type: async (text) => void (await perform(toKeyActions(text))),
    press: async (key) => void (await perform(toKeyActions(key, true))),
  }
}
