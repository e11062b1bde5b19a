/** A browser that shows the console page. Each engine is driven by a protocol that Debian's package supports. */
export interface Browser {
  /** Evaluates an expression in the page, under its Content-Security-Policy, and returns its JSON value. */
  evaluate(expression: string): Promise<unknown>
  /** Presses and releases the left mouse button. */
  click(x: number, y: number): Promise<void>
  /** Types text into the focused element; a line break is the Enter key. */
  type(text: string): Promise<void>
  /** Presses and releases a key. */
  press(key: 'ArrowRight'): Promise<void>
  close(): Promise<void>
}

export interface BrowserOptions {
  /** The page to open. */
  url: string
  /** `host:port` of an HTTP proxy for every connection of the browser. */
  proxy: string
}
