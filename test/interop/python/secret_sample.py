import datetime
import jwt

# Your workspace key and secret.
# You can find them on the Settings page.
WORKSPACE_KEY = "<WORKSPACE_KEY>"
WORKSPACE_SECRET = "<WORKSPACE_SECRET>"

encoded_jwt = jwt.encode(
    {
        # ID of your customer in your system.
        # It will be used to identify customer in Membrane
        "id": "{CUSTOMER_ID}",
        # Human-readable name (it will simplify troubleshooting)
        "name": "{CUSTOMER_NAME}",
        "iss": WORKSPACE_KEY,
        # Any customer fields you want to attach to your user.
        "fields": {
            "field1": "<field value>"
        },
        "exp": datetime.datetime.now() + datetime.timedelta(seconds=1440)
    }, WORKSPACE_SECRET, algorithm="HS256")
