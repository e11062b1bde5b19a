/** A browser with the console page open in it. Each engine is driven by the protocol that Debian's package speaks. */
export interface Browser {
  /** Evaluates an expression in the page, under its Content-Security-Policy. @returns what it resolves to, as JSON */
  evaluate(expression: string): Promise<unknown>
  /** Presses and releases the left mouse button. */
  click(x: number, y: number): Promise<void>
  /** Types characters into what has the focus; a line break is the Enter key. */
  type(text: string): Promise<void>
  /** Presses and releases a key that types nothing. */
  press(key: 'Tab' | 'ArrowRight' | 'ArrowLeft' | 'Home' | 'End'): Promise<void>
  close(): Promise<void>
}

/** What a browser may be started with. */
export interface BrowserOptions {
  /** Opened first. */
  url: string
  /** An HTTP proxy, as `host:port`, for every connection of the browser. */
  proxy: string
}
