import { CopyButton } from './copy-button.tsx'

/** Text to copy: a token, a key, a command or a file. */
export function CodeBlock({ name, text, wrap }: { name: string; text: string; wrap?: boolean }) {
  return (
    <figure class="code">
      <figcaption>
        <span>{name}</span>
        <CopyButton text={text} name={name} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable content must be reachable by keyboard (WCAG 2.1.1) */}
      <pre class={wrap ? 'wrap' : undefined} tabIndex={0}>
        {text}
      </pre>
    </figure>
  )
}
