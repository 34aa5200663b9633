"""Webhooks that the official packages sign, sent over real HTTP to a running routerd: official_sdks.py PROVIDER PORT PORT6.
Says "fine" or fails."""
import base64
import http.client
import json
import sys
import time
import uuid
import warnings
import xml.etree.ElementTree
from hashlib import sha256
from urllib.parse import quote_plus, urlencode

warnings.simplefilter("ignore")  # of short keys
provider, port, port6 = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
FORM, JSON = "application/x-www-form-urlencoded; charset=UTF-8", "application/json"
PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "voice.example.com", "X-Forwarded-For": "198.51.100.7"}


def send(method, target, headers, body=b"", connection=None, chunked=False):
    link = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    if isinstance(body, str):
        body = body.encode()
    pieces = iter([body[:7], body[7:]]) if chunked else body
    link.request(method, target, pieces, headers, encode_chunked=chunked)
    answer = link.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def expect(got, status, what):
    assert got[0] == status, (what, got[0], got[2][:500])
    return got


def twilio():
    from twilio.request_validator import RequestValidator

    validator = RequestValidator("token")
    sid = lambda: "CA" + uuid.uuid4().hex

    def fields(**more):
        return {"CallSid": sid(), "AccountSid": "AC00000000000000000000000000000000", "CallStatus": "ringing",
                "From": "+15550100001", "To": "+15550100002", "FromCity": "", "FromState": "CA", "Direction": "inbound",
                "CallerName": "ÄNN O'NEIL & 50% + <x>"} | more

    def post(url, params, headers={}, signed=None, **more):
        """`url` is what Twilio was given; `signed` what it made of it."""
        target = "/" + url.split("/", 3)[3]
        own = {"X-Twilio-Signature": validator.compute_signature(signed or url, params), "Content-Type": FORM}
        return send("POST", target, own | headers, urlencode(params), **more)

    def stream(answer):
        document = xml.etree.ElementTree.fromstring(expect(answer, 200, "an announcement")[2])
        assert answer[1]["Content-Type"].startswith("text/xml")
        assert document.tag == "Response" and document[0].tag == "Connect" and document[0][0].tag == "Stream", answer[2]
        return document[0][0].attrib["url"]

    plain = f"http://127.0.0.1:{port}/voip/twilio"
    once = fields()
    first = stream(post(plain, once))
    assert first.startswith(f"ws://127.0.0.1:{port}/voip/twilio/media/"), first
    # Again while the call waits: the same answer.
    assert stream(post(plain, once)) == first
    # Ports and proxies.
    for signed in ["https://voice.example.com/voip/twilio", "https://voice.example.com:443/voip/twilio"]:
        url = stream(post("https://voice.example.com/voip/twilio", fields(), PROXY, signed))
        assert url.startswith("wss://voice.example.com/voip/twilio/media/"), url
    odd = "https://voice.example.com:8443/voip/twilio?a=1&b=%20c"
    stream(post(odd, fields(), PROXY | {"X-Forwarded-Port": "8443"}))
    # Nobody but a trusted proxy says where the request went: this one says it of another host.
    expect(post(plain, fields(), {"Host": "other.example"}), 403, "another host")
    # IPv6, chunks, one connection for many.
    stream(post(f"http://[::1]:{port6}/voip/twilio", fields(), {"Host": f"[::1]:{port6}"},
                connection=http.client.HTTPConnection("::1", port6, timeout=20)))
    stream(post(plain, fields(), {"Transfer-Encoding": "chunked"}, chunked=True))
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(3):
        stream(post(plain, fields(), connection=link))
    # GET, and JSON with its hash.
    query = plain + "?" + urlencode(fields())
    stream(send("GET", "/" + query.split("/", 3)[3], {"X-Twilio-Signature": validator.compute_signature(query, {})}))
    body = json.dumps(fields())
    hashed = plain + "?bodySHA256=" + sha256(body.encode()).hexdigest()
    own = {"X-Twilio-Signature": validator.compute_signature(hashed, {}), "Content-Type": JSON}
    assert validator.validate(hashed, body, own["X-Twilio-Signature"])
    stream(send("POST", "/" + hashed.split("/", 3)[3], own, body))
    expect(send("POST", "/" + hashed.split("/", 3)[3], own, body.replace("0002", "0003")), 403, "tampered JSON")
    # The media socket's request.
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode()}
    media = "/" + first.split("/", 3)[3]
    expect(send("GET", media, upgrade), 403, "a socket that nobody signed")
    expect(send("GET", media, upgrade | {"X-Twilio-Signature": validator.compute_signature(first + "x", {})}), 403, "forged")
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    link.request("GET", media, headers=upgrade | {"X-Twilio-Signature": validator.compute_signature(first, {})})
    assert link.getresponse().status == 101
    # What is wrong.
    expect(post(plain, fields(), {"X-Twilio-Signature": "x"}), 403, "a wrong signature")
    for params in [fields(AccountSid="AC1"), {"From": "1"}]:
        expect(post(plain, params), 403, params)
    unsigned = {"Content-Type": FORM}
    expect(send("POST", "/voip/twilio", unsigned, urlencode(fields())), 403, "unsigned")
    expect(send("POST", "/voip/nothing", unsigned, "a=b"), 404, "no path")
    gone = expect(send("DELETE", "/voip/twilio", {}), 405, "a method")
    assert gone[1]["Allow"] == "GET, POST", gone[1]["Allow"]
    expect(send("POST", "/voip/twilio", {"Content-Type": "text/plain"}, "a=b"), 415, "a kind of body")
    expect(send("POST", "/voip/twilio", unsigned, "a" * 300_000), 413, "a long body")
    # Too many, from one address.
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    flood = [send("GET", "/healthz", {"X-Forwarded-For": "198.51.100.99"}, connection=link) for _ in range(300)]
    busy = [answer for answer in flood if answer[0] == 429]
    assert busy and busy[0][1]["Retry-After"], [answer[0] for answer in flood][:10]
    expect(send("GET", "/healthz", {"X-Forwarded-For": "198.51.100.98"}), 200, "another address")


def telnyx():
    from nacl.signing import SigningKey
    from telnyx.lib.webhook_verification import verify_webhook_signature

    key = SigningKey(bytes(32))
    public = base64.b64encode(bytes(key.verify_key)).decode()

    def post(body, when=None, signer=key, kind=JSON, sent=None, target="/voip/telnyx", headers={}):
        now = str(when or int(time.time()))
        signature = base64.b64encode(signer.sign(f"{now}|{body}".encode()).signature).decode()
        own = {"telnyx-timestamp": now, "telnyx-signature-ed25519": signature, "Content-Type": kind}
        if when is None and signer is key:
            verify_webhook_signature(body, own, public)
        return send("POST", target, own | headers, sent or body)

    def event(kind, **payload):
        return json.dumps({"data": {"event_type": kind, "id": str(uuid.uuid4()), "record_type": "event", "payload": {
            "call_control_id": "v3:" + uuid.uuid4().hex, "connection_id": "1", "direction": "incoming",
            "from": "+15550100001", "to": "+15550100009", "caller_id_name": "ÄNN"} | payload}}, ensure_ascii=False)

    once = event("call.initiated")
    for _ in range(2):
        expect(post(once), 204, "an announcement, and again")
    expect(post(event("call.initiated"), headers=PROXY), 204, "by a proxy")
    for kind in ["call.hangup", "call.answered", "streaming.started", "tomorrow"]:
        expect(post(event(kind)), 204, kind)
    form = "&".join(f"{name}={quote_plus(value)}" for name, value in {
        "CallSid": "v3:" + uuid.uuid4().hex, "AccountSid": "acc", "ConnectionId": "1", "From": "+15550100001",
        "To": "+15550100009", "CallStatus": "ringing"}.items())
    answer = expect(post(form, kind="application/x-www-form-urlencoded"), 200, "TeXML")
    assert xml.etree.ElementTree.fromstring(answer[2])[0].tag == "Reject", answer[2]
    now = int(time.time())
    for when in [now - 400, now + 400]:
        expect(post(event("call.initiated"), when=when), 403, "played back, or of the future")
    expect(post(event("call.initiated"), signer=SigningKey(bytes([7] * 32))), 403, "another's signature")
    expect(post(once, sent=once.replace("0009", "0008")), 403, "tampered")
    expect(send("POST", "/voip/telnyx", {"Content-Type": JSON}, once), 403, "unsigned")
    expect(post("<a/>", kind="text/xml"), 415, "a kind of body")
    expect(send("GET", "/voip/telnyx", {}), 405, "a method")


def vonage():
    import jwt
    from vonage_jwt import verify_signature

    def bearer(content, secret="secret", **more):
        claims = {"iat": int(time.time()), "jti": str(uuid.uuid4()), "iss": "Vonage", "api_key": "a1b2c3d4",
                  "application_id": "00000000-0000-0000-0000-000000000000",
                  "payload_hash": sha256(content.encode()).hexdigest()} | more
        token = jwt.encode(claims, secret, algorithm="HS256")
        assert verify_signature(token, secret)
        return {"Authorization": "Bearer " + token}

    def fields():
        return {"to": "15550100002", "from": "15550100001", "conversation_uuid": "CON-" + str(uuid.uuid4()),
                "uuid": str(uuid.uuid4()), "SipHeader_X-Name": "Jürgen & +"}

    def compact(data):
        return json.dumps(data, separators=(",", ":"), ensure_ascii=False)

    def socket(answer):
        action = json.loads(expect(answer, 200, "an announcement")[2])[0]
        assert action["action"] == "connect" and action["endpoint"][0]["type"] == "websocket", action
        return action["endpoint"][0]["uri"]

    data = fields()
    first = socket(send("GET", "/voip/vonage?" + urlencode(data), bearer(compact(data))))
    assert socket(send("GET", "/voip/vonage?" + urlencode(data), bearer(compact(data)))) == first
    data = fields()
    body = json.dumps(data)
    json_type = {"Content-Type": JSON}
    socket(send("POST", "/voip/vonage", bearer(body) | json_type, body))
    url = socket(send("GET", "/voip/vonage?" + urlencode(data := fields()), bearer(compact(data)) | PROXY))
    assert url.startswith("wss://voice.example.com/voip/vonage/media/"), url
    event = compact(fields() | {"status": "completed", "direction": "inbound", "duration": "1"})
    expect(send("POST", "/voip/vonage/events", bearer(event) | json_type, event), 204, "an event")
    data = fields()
    target = "/voip/vonage?" + urlencode(data)
    for what, headers in {
        "unsigned": {}, "forged": bearer(compact(data), secret="x"), "of another payload": bearer("{}"),
        "played back": bearer(compact(data), iat=int(time.time()) - 400),
        "of another application": bearer(compact(data), application_id="1"),
        "without an algorithm": {"Authorization": "Bearer " + jwt.encode({"iat": int(time.time())}, None, algorithm="none")},
    }.items():
        expect(send("GET", target, headers), 403, what)
    expect(send("POST", "/voip/vonage", bearer("a=b") | {"Content-Type": FORM}, "a=b"), 415, "a kind of body")
    expect(send("PUT", "/voip/vonage", {}), 405, "a method")


{"twilio": twilio, "telnyx": telnyx, "vonage": vonage}[provider]()
print("fine")
