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
export function toKeyActions(text: string, isKey = false): unknown[] {
  const values = isKey ? [text] : [...text]
  const actions = values.flatMap((value) => [
    { type: 'keyDown', value: KEYS[value] ?? value },
    { type: 'keyUp', value: KEYS[value] ?? value },
  ])
  return [{ type: 'key', id: 'keyboard', actions }]
}

/** The actions of WebDriver that click at a point. */
export const toPointerActions = (x: number, y: number): unknown[] => [
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
