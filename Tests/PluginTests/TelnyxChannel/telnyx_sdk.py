"""Holds what routerd says and believes against Telnyx's own SDK; says "fine" or fails."""
import base64
import json
import sys
import time
import typing

import httpx
from nacl.signing import SigningKey
from pydantic import TypeAdapter
from telnyx import Telnyx
from telnyx.lib.webhook_verification import verify_webhook_signature
from telnyx.types.calls import (
    action_answer_params,
    action_hangup_params,
    action_reject_params,
    action_send_dtmf_params,
    action_start_streaming_params,
    action_transfer_params,
)

data = json.load(sys.stdin)
sent = []


def take(request):
    sent.append(request)
    return httpx.Response(200, json={"data": {"result": "ok"}})


client = Telnyx(api_key="KEY", http_client=httpx.Client(transport=httpx.MockTransport(take)))
commands = {
    "answer": (client.calls.actions.answer, action_answer_params.ActionAnswerParams),
    "hangup": (client.calls.actions.hangup, action_hangup_params.ActionHangupParams),
    "reject": (client.calls.actions.reject, action_reject_params.ActionRejectParams),
    "send_dtmf": (client.calls.actions.send_dtmf, action_send_dtmf_params.ActionSendDtmfParams),
    "streaming_start": (
        client.calls.actions.start_streaming, action_start_streaming_params.ActionStartStreamingParams),
    "transfer": (client.calls.actions.transfer, action_transfer_params.ActionTransferParams),
}
for request in data["requests"]:
    path, body = request["path"], dict(request["body"])
    if "/texml/" in path:
        owner, call = request["owner"], request["call"]
        client.texml.accounts.calls.update(call, account_sid=owner, **{k.lower(): v for k, v in body.items()})
    else:
        name = path.rsplit("/", 1)[1]
        command, params = commands[name]
        # Every word that we use is one that the package lets through.
        for key, value in body.items():
            hint = params.__annotations__["from_" if key == "from" else key]
            if isinstance(hint, typing.ForwardRef):
                hint = eval(hint.__forward_arg__, vars(sys.modules[params.__module__]))
            if typing.get_origin(hint) is typing.Required:
                hint = typing.get_args(hint)[0]
            TypeAdapter(hint).validate_python(value, strict=True)
        words = {"from_" if k == "from" else k: v for k, v in body.items()}
        command(request["call"], **words)
    theirs = sent.pop()
    # Escapes may differ in what they escape, not in what they mean.
    assert theirs.url.path == httpx.URL("http://h" + path).path, (theirs.url.raw_path, path)
    assert theirs.method == request["method"] == "POST"
    assert json.loads(theirs.content) == request["body"], (theirs.content, request["body"])
    assert theirs.headers["authorization"] == request["authorization"]
    assert theirs.headers["content-type"] == request["contentType"]

# Our signatures are believed; theirs come back for us to believe.
now = str(int(time.time()))
key = SigningKey(bytes(range(32)))
public = base64.b64encode(bytes(key.verify_key)).decode()
assert public == data["publicKey"], public
ours = {"telnyx-timestamp": data["timestamp"], "telnyx-signature-ed25519": data["signature"]}
verify_webhook_signature(data["body"], ours, public)
signed = []
for number in range(50):
    body = json.dumps({"data": {"event_type": "call.answered", "id": "ü€" * number}}, ensure_ascii=number % 2 == 0)
    signature = base64.b64encode(key.sign(f"{now}|{body}".encode()).signature).decode()
    verify_webhook_signature(body, {"telnyx-timestamp": now, "telnyx-signature-ed25519": signature}, public)
    signed.append({"timestamp": now, "body": body, "signature": signature})
print(json.dumps(signed))
