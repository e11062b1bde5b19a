import { MembraneTokenError } from '../../errors.ts'

/**
 * Reads every entry of a list. An error names the entry, such as `keys[1].sha256`.
 *
 * @param option The name of the list
 */
export function readList<Entry, Read>(
  option: string,
  list: readonly Entry[],
  read: (entry: Entry) => Read,
): Read[] {
  return list.map((entry, index) => {
    try {
      return read(entry)
    } catch (error) {
      if (!(error instanceof MembraneTokenError)) throw error
      const at = `${option}[${index}]`
      throw new MembraneTokenError(error.code, `${at}: ${error.message}`, {
        option: error.option === undefined ? at : `${at}.${error.option}`,
        cause: error.cause,
      })
    }
  })
}
