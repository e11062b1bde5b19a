#!/bin/sh
# On Cloud Run, Compute Engine or GKE, with the service account's identity.
#
# In the service's settings:
#   WORKLOAD_IDENTITIES = [{
#     "name": "nightly-export",
#     "preset": "google-cloud",
#     "audience": "https://tokens.example.com",
#     "claims": { "sub": "112233445566778899000" },
#     "scopes": ["admin"]
#   }]
# The sub is the service account's unique id: gcloud iam service-accounts describe ACCOUNT --format='value(uniqueId)'
set -eu

identity=$(curl -sSf -H 'Metadata-Flavor: Google' \
  "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity?audience=https://tokens.example.com")
MEMBRANE_TOKEN=$(curl -sSf https://tokens.example.com/api/membrane-admin-token -H "Authorization: Bearer $identity" \
  --json '{"expiresIn":"10m"}' | jq -r .token)

curl -sSf https://api.getmembrane.com/integrations -H "Authorization: Bearer $MEMBRANE_TOKEN"
