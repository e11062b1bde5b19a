require 'json'
require 'net/http'

response = Net::HTTP.post(
  URI(ENV.fetch('TOKEN_URL')),
  { id: 'customer-42', name: 'Acme Inc.' }.to_json,
  'Authorization' => "Bearer #{ENV.fetch('API_KEY')}",
  'Content-Type' => 'application/json'
)
response.value # raises unless 2xx
puts JSON.parse(response.body)['token']
