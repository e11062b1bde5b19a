import datetime
import jwt

# Your workspace key.
# You can find it on the Settings page.
WORKSPACE_KEY = "<WORKSPACE_KEY>"
# Do not expose your private key to anyone. You should only use it to sign tokens.
PRIVATE_KEY = """<YOUR PRIVATE KEY>"""

encoded_jwt = jwt.encode(
    {
        # ID of your customer in your system.
        # It will be used to identify customer in Membrane
        "id": "{CUSTOMER_ID}",
        # Human-readable name (it will simplify troubleshooting)
        "name": "{CUSTOMER_NAME}",
        "iss": WORKSPACE_KEY,
        "exp": datetime.datetime.now() + datetime.timedelta(seconds=1440)
    }, PRIVATE_KEY, algorithm="ES256")
