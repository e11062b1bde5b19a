import json
import os
import urllib.request

request = urllib.request.Request(
    os.environ["TOKEN_URL"],
    data=json.dumps({"id": "customer-42", "name": "Acme Inc."}).encode(),
    headers={
        "Authorization": f"Bearer {os.environ['API_KEY']}",
        "Content-Type": "application/json",
    },
)
with urllib.request.urlopen(request, timeout=10) as response:
    print(json.load(response)["token"])
