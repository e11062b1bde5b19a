# frozen_string_literal: true

require 'json'
require 'jwt'
require 'openssl'
require_relative 'key_sample'
require_relative 'secret_sample'

def read_key(job)
  job['secret'] || OpenSSL::PKey.read(File.read(job['keyFile']))
end

def run(job)
  algorithm = job['algorithm']
  return { token: JWT.encode(job['claims'], read_key(job), algorithm) } if job['action'] == 'sign'

  claims, _header = JWT.decode(job['token'], read_key(job), true, { algorithm: algorithm })
  { claims: claims }
rescue StandardError => e
  { error: e.inspect }
end

request = JSON.parse($stdin.read.force_encoding('UTF-8'))
puts JSON.generate(
  library: "jwt #{JWT.gem_version}",
  samples: { secret: SecretSample::TOKEN, key: KeySample::TOKEN },
  results: request['jobs'].map { |job| run(job) }
)
