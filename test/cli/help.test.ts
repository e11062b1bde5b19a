import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '../../cli/arguments.ts'
import { COMMANDS } from '../../cli/commands.ts'
import { renderHelp } from '../../cli/help.ts'
import { renderCommandDocs } from '../../scripts/command-docs.ts'
import { useCommand } from './harness.ts'

const { run } = useCommand()

test('docs/command.md is what npm run docs:command writes', async () => {
  expect(await readFile(new URL('../../docs/command.md', import.meta.url), 'utf8')).toBe(
    await renderCommandDocs(),
  )
})

describe.each(Object.entries(COMMANDS))('%s', (name, { load }) => {
  test('has help with examples that fits a terminal', async () => {
    const { specification } = (await load()).command
    expect(specification.name).toBe(name)
    const help = renderHelp(specification)
    expect(await run([name, '--help'])).toEqual({ status: 0, stdout: `${help}\n`, stderr: '' })
    expect(await run(['help', name])).toEqual({ status: 0, stdout: `${help}\n`, stderr: '' })
    const [text = ''] = help.split('Examples:')
    expect(text.split('\n').filter((line) => line.length > 104)).toEqual([])
    expect(help).toMatch(/Examples:\n {2}\S/)
  })

  test('suggests the option for a misspelled one', async () => {
    const { specification } = (await load()).command
    const options = Object.keys(specification.options).filter(
      (option) => option.length > 3 && !Object.hasOwn(specification.options, option.slice(0, -1)),
    )
    expect(options).not.toEqual([])
    for (const option of options) {
      const misspelled = `--${option.slice(0, -1)}`
      expect(() => parseArguments([misspelled], specification)).toThrow(
        `Unknown option ${misspelled}; did you mean --`,
      )
    }
  })
})

test('lists the commands without one, and suggests one for a misspelled one', async () => {
  const nothing = await run([])
  expect(nothing).toMatchObject({ status: 2, stdout: '' })
  for (const name of Object.keys(COMMANDS)) expect(nothing.stderr).toContain(`\n  ${name} `)
  expect(await run(['sing'])).toEqual({
    status: 2,
    stdout: '',
    stderr: 'membrane-token: Unknown command "sing"; did you mean "sign"?\nSee: membrane-token --help\n',
  })
  expect(await run(['frobnicate'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('Commands: inspect, verify'),
  })
})
