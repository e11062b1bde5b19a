/** Where each part of a key goes. */
export function Destinations() {
  return (
    <section class="card" aria-labelledby="destinations-heading">
      <h2 id="destinations-heading">What goes where</h2>
      <div class="destinations">
        <div>
          <h3>Into Membrane</h3>
          <ul>
            <li>
              The public key as PEM, in the settings of the workspace, or the URL of your{' '}
              <code>/.well-known/jwks.json</code>
            </li>
          </ul>
        </div>
        <div>
          <h3>Into the Worker</h3>
          <ul>
            <li>
              The private key: <code>npx wrangler secret put MEMBRANE_PRIVATE_KEY</code>
            </li>
            <li>
              Or the secret: <code>npx wrangler secret put MEMBRANE_WORKSPACE_SECRET</code>
            </li>
            <li>
              The workspace key: <code>npx wrangler secret put MEMBRANE_WORKSPACE_KEY</code>
            </li>
          </ul>
        </div>
        <div>
          <h3>Nowhere else</h3>
          <ul>
            <li>
              Never put private keys or secrets in a repository, <code>wrangler.toml</code>, a browser app, a
              log or a ticket
            </li>
            <li>Never put admin tokens in a browser app</li>
          </ul>
        </div>
      </div>
    </section>
  )
}
