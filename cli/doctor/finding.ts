/** The result of a check. */
export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warning' | 'error'
  readonly message: string
  /** How to fix it; absent if the status is `ok`. */
  readonly fix?: string
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message })

export const warning = (check: string, message: string, fix: string): Finding => ({
  check,
  status: 'warning',
  message,
  fix,
})

export const error = (check: string, message: string, fix: string): Finding => ({
  check,
  status: 'error',
  message,
  fix,
})
