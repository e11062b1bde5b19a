import json
import sys
from pathlib import Path

import jwt

import key_sample
import secret_sample


def read_key(job):
    return job["secret"] if "secret" in job else Path(job["keyFile"]).read_text()


def run(job):
    try:
        if job["action"] == "sign":
            return {"token": jwt.encode(job["claims"], read_key(job), algorithm=job["algorithm"])}
        return {"claims": jwt.decode(job["token"], read_key(job), algorithms=[job["algorithm"]])}
    except Exception as error:
        return {"error": repr(error)}


request = json.loads(sys.stdin.buffer.read())
output = {
    "library": f"PyJWT {jwt.__version__}",
    "samples": {"secret": secret_sample.encoded_jwt, "key": key_sample.encoded_jwt},
    "results": [run(job) for job in request["jobs"]],
}
print(json.dumps(output))
