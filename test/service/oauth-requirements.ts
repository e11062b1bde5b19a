/** Requirements that `/oauth/token` meets, and the tests in oauth.test.ts that prove it. */
export const REQUIREMENTS: readonly (readonly [section: string, requirement: string, test: string])[] = [
  ['RFC 6749 §2.3.1', 'clients authenticate with Basic or in the body', 'client credentials with %s'],
  [
    'RFC 6749 §2.3',
    'only one authentication method per request',
    'Basic and client_secret together are rejected',
  ],
  ['RFC 6749 §3.2', 'POST only; parameters at most once', 'a request that is malformed: %s'],
  ['RFC 6749 §4.4', 'client credentials', 'client credentials with %s'],
  ['RFC 6749 §5.1', '`no-store` and `Pragma: no-cache`', 'responses of the token endpoint are not cacheable'],
  [
    'RFC 6749 §5.2',
    'error codes; 401 with `WWW-Authenticate` for `invalid_client`',
    'a request that is rejected: %s',
  ],
  [
    'RFC 6749 §5.2',
    '`error_description` in printable ASCII without quotes',
    'a request that is rejected: %s',
  ],
  ['RFC 8693 §2.1', 'token exchange; `audience` and `resource` may repeat', 'token exchange of a session'],
  ['RFC 8693 §2.1', '`actor_token` is rejected', 'a request that is rejected: %s'],
  ['RFC 8693 §2.2.1', '`issued_token_type` is the requested type', 'the requested token type is echoed: %s'],
  ['RFC 8693 §2.2.2', 'other audiences and resources are `invalid_target`', 'a request that is rejected: %s'],
  ['RFC 8414 §3', 'metadata at the well-known URL', 'metadata discovery'],
]
