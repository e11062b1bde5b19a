import type { TokenProblem } from 'membrane-token'
import { referenceFor } from '../inspect/references.ts'

/** The problems of a token, in the order in which to fix them. */
export function Problems({ problems }: { problems: readonly TokenProblem[] }) {
  return (
    <ol class="problems">
      {problems.map(({ code, severity, message, fix }) => {
        const { label, url } = referenceFor(code)
        return (
          <li key={code + message} class={severity}>
            <p class="problem-head">
              <span class={`tag ${severity}`}>{severity}</span> <code>{code}</code>
            </p>
            <p class="problem-message">{message}</p>
            <p class="problem-fix">
              <b>Fix</b> {fix}{' '}
              <a href={url} target="_blank" rel="noopener noreferrer">
                {label}
                <span class="sr"> (opens a new tab)</span>
              </a>
            </p>
          </li>
        )
      })}
    </ol>
  )
}
