"""An OAuth client in another language: requests tokens from the service at the given URL, and prints the responses."""

import json
import sys

from authlib.integrations.requests_client import OAuth2Session

url, name, key, session = sys.argv[1:5]
token_url = url + "/oauth/token"
exchange = "urn:ietf:params:oauth:grant-type:token-exchange"

responses = {}
for method in ("client_secret_basic", "client_secret_post"):
    client = OAuth2Session(name, key, scope="admin", token_endpoint_auth_method=method)
    responses[method] = client.fetch_token(token_url, grant_type="client_credentials")

client = OAuth2Session(name, token_endpoint_auth_method="none")
responses["token_exchange"] = client.fetch_token(
    token_url,
    grant_type=exchange,
    subject_token=session,
    subject_token_type="urn:ietf:params:oauth:token-type:jwt",
)
print(json.dumps(responses))
