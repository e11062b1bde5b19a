import { expect, test } from 'vitest'
import { service } from './harness.ts'

test.each([{}, { key: [] }, { keys: {} }, [], null])(
  'additionalKeys %o are not a key set',
  (additionalKeys) => {
    expect(() => service({ additionalKeys: additionalKeys as never })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION_INVALID', option: 'additionalKeys' }),
    )
  },
)
