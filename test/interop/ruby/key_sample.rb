# frozen_string_literal: true

module KeySample
  require 'jwt'
  require 'openssl'

  WORKSPACE_KEY = '<WORKSPACE_KEY>'
  # Do not expose your private key to anyone. You should only use it to sign tokens.
  PRIVATE_KEY = OpenSSL::PKey::EC.new(<<~KEY)
    <YOUR PRIVATE KEY>
  KEY

  payload = {
    id: '{CUSTOMER_ID}',
    name: '{CUSTOMER_NAME}',
    iss: WORKSPACE_KEY,
    exp: Time.now.to_i + 60 * 60 * 6, # Expiration time (6 hours from now)
  }

  token = JWT.encode(payload, PRIVATE_KEY, 'ES256')

  TOKEN = token
end
