"""Compares TwiML that comes in as a JSON list with what Twilio's own builder makes of the same wishes."""
import sys, json
from xml.etree.ElementTree import canonicalize
from twilio.twiml.voice_response import VoiceResponse, Connect, Dial
odd = 'https://voice.example.com/a?b="1"&c=<2>\''
def made(build):
    response = VoiceResponse(); build(response); return str(response)
def connect(r):
    c = Connect(); c.stream(url="wss://voice.example.com/m/1", status_callback=odd); r.append(c)
def dial(r, number, **more):
    d = Dial(answer_on_bridge=True, **more.pop("dial"))
    getattr(d, "number" if number[0] == "+" else "sip")(number, status_callback_event="answered completed", **more)
    r.append(d)
theirs = [made(connect), made(lambda r: r.reject(reason="busy")), made(lambda r: r.reject(reason="rejected")),
    made(lambda r: r.hangup()),
    made(lambda r: dial(r, "+15550107777", status_callback="https://p",
         dial=dict(action=odd, timeout=30, caller_id="+15550100001"))),
    made(lambda r: dial(r, 'sip:0200@pbx.example.com;x="y"&z', status_callback=odd, dial=dict(action="https://a", timeout=5)))]
for ours, theirs in zip(json.load(sys.stdin), theirs, strict=True):
    assert canonicalize(ours.strip(), strip_text=True) == canonicalize(theirs, strip_text=True), (ours, theirs)
print("same", end="")
