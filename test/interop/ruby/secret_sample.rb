# frozen_string_literal: true

module SecretSample
  require 'jwt'

  WORKSPACE_SECRET = '<WORKSPACE_SECRET>'
  WORKSPACE_KEY = '<WORKSPACE_KEY>'

  payload = {
    id: '{CUSTOMER_ID}',
    name: '{CUSTOMER_NAME}',
    iss: WORKSPACE_KEY,
    exp: Time.now.to_i + 60 * 60 * 6, # Expiration time (6 hours from now)
  }

  token = JWT.encode(payload, WORKSPACE_SECRET, 'HS256')

  TOKEN = token
end
