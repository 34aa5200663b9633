"""Signs requests with random addresses and fields as Twilio does, with its own library."""
import base64, json, random, string
from hashlib import sha256
from twilio.request_validator import RequestValidator, HMAC_SHA1, HMAC_SHA256
rnd = random.Random(7)
words = string.ascii_letters + string.digits + " +&=%/äöü€😀\"'<>~*()!"
class Form(dict):
    def getlist(self, name): return self[name]
def text(most): return "".join(rnd.choice(words) for _ in range(rnd.randint(0, most)))
def quote(t):
    from urllib.parse import quote_plus
    return quote_plus(t)
out = []
for number in range(300):
    token = "".join(rnd.choice(string.hexdigits) for _ in range(32))
    validator = RequestValidator(token)
    scheme = rnd.choice(["http", "https"])
    host = rnd.choice(["voice.example.com", "127.0.0.1"])
    port = rnd.choice(["", "", ":8443", ":80", ":443"])
    target = "/voip/twilio" + rnd.choice(["", "?a=1&b=%20c", "?x"])
    algorithm = rnd.choice([HMAC_SHA1, HMAC_SHA256])
    body, kind, params = "", "application/x-www-form-urlencoded", {}
    if number % 5 == 4:
        body, kind = json.dumps({"text": text(20)}), "application/json"
        target += ("&" if "?" in target else "?") + "bodySHA256=" + sha256(body.encode()).hexdigest()
    else:
        names = {"f" + text(6) for _ in range(rnd.randint(1, 12))} | {"CallSid"}
        params = Form({name: [text(12) for _ in range(rnd.randint(1, 3))] for name in names})
        body = "&".join(quote(n) + "=" + quote(v) for n in params for v in params[n])
    # What Twilio signs may have the scheme's own port, or not.
    default = ":443" if scheme == "https" else ":80"
    signed = rnd.choice([port, default]) if port in ("", default) else port
    url = scheme + "://" + host + signed + target
    signature = validator.compute_signature(url, params, algorithm)
    assert validator.validate(scheme + "://" + host + port + target, body if kind == "application/json" else params, signature, algorithm)
    out.append({"origin": scheme + "://" + host + port, "target": target, "body": body, "kind": kind,
                "token": token, "signature": signature, "algorithm": algorithm})
print(json.dumps(out))
