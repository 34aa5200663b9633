"""Reads what routerd makes with the models of Vonage's own SDK; says "fine" or fails."""
import json
import sys

import jwt
from vonage_jwt import verify_signature
from vonage_voice.models import Connect

data = json.load(sys.stdin)
for ncco in data["nccos"]:
    for action in ncco:
        if action["action"] != "connect":
            assert action == {"action": "wait", "timeout": 60}, action
            continue
        # The models have other names for what Python cannot say.
        known = dict(action)
        if "from" in known:
            known["from_"] = known.pop("from")
        for endpoint in known["endpoint"]:
            if "content-type" in endpoint:
                endpoint["contentType"] = endpoint.pop("content-type")
        model = Connect.model_validate(known)
        written = model.model_dump(by_alias=True, exclude_none=True, mode="json")
        for endpoint in known["endpoint"]:
            if "contentType" in endpoint:
                endpoint["content-type"] = endpoint.pop("contentType")
        if "from_" in known:
            known["from"] = known.pop("from_")
        # Nothing that we say was dropped: the package knows every field.
        assert written == known, (written, known)
assert verify_signature(data["webhook"], data["secret"])
claims = jwt.decode(data["rest"], data["publicKey"], algorithms=["RS256"], options={"verify_iat": False})
assert claims["application_id"] == "app-1" and claims["exp"] - claims["iat"] == 900 and claims["jti"], claims
print("fine")
