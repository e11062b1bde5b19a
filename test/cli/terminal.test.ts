import { expect, test } from 'vitest'
import { painter } from '../../cli/terminal.ts'

const red = (isTTY: boolean, env: Record<string, string>) => painter({ isTTY }, env)('red', 'x')

test('colors only on a terminal that supports them, and never with NO_COLOR', () => {
  expect(red(true, {})).toBe('\u001b[31mx\u001b[39m')
  expect(red(false, {})).toBe('x')
  expect(red(true, { NO_COLOR: '1' })).toBe('x')
  expect(red(true, { TERM: 'dumb' })).toBe('x')
})
