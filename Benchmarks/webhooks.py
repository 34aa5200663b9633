#!/usr/bin/python3
"""The measure `webhooks`: signed webhooks of a VoIP provider at a steady rate, and how long each is waited for.

Every one is a call of its own that the routes reject: its signature is checked, its route found, its record written, and the reply
is the provider's document. `webhooks.py PROGRAM [--rate 500] [--seconds 20]`.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import os
import signal
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

ACCOUNT, TOKEN = "AC" + "0" * 32, b"token"
ROUTES = """providers: {phone: {type: twilio, accountSid: %s, authToken: token, apiURL: "http://127.0.0.1:9"}}
routes: [{match: {channel: voip}, reject: 486}]
""" % ACCOUNT
SETTINGS = """routes: {directory: "%(folder)s/routes"}
control: {socket: "%(folder)s/control"}
log: {level: warning}
engine: {maximumCalls: 100000}
sip: {listen: ["udp:127.0.0.1:0"]}
web:
  listen: ["http:127.0.0.1:%(port)d"]
  publicURL: http://127.0.0.1:%(port)d
  secretFile: "%(folder)s/key"
  limits: {requestsPerSecondPerAddress: 1000000}
sqlite: {path: "%(folder)s/calls.db"}
"""


def request(port, number):
    fields = {"AccountSid": ACCOUNT, "CallSid": "CA%032d" % number, "CallStatus": "ringing", "Direction": "inbound",
              "From": "+1555%07d" % number, "To": "+15550100002", "ApiVersion": "2010-04-01", "FromCity": ""}
    url = "http://127.0.0.1:%d/voip/twilio" % port
    content = url + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.new(TOKEN, content.encode(), hashlib.sha1).digest()).decode()
    body = urllib.parse.urlencode(fields)
    return ("POST /voip/twilio HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Twilio-Signature: %s\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s"
            % (port, signature, len(body), body)).encode()


class Connection(asyncio.Protocol):
    """One connection that stays; a request at a time."""

    def __init__(self, idle):
        self.idle, self.received, self.begun = idle, b"", None

    def connection_made(self, transport):
        self.transport = transport
        self.idle.append(self)

    def send(self, message, due, times):
        self.begun, self.times = due, times
        self.transport.write(message)

    def data_received(self, data):
        self.received += data
        if b"</Response>" in self.received:
            assert b" 200 " in self.received.split(b"\r\n")[0] and b'<Reject reason="busy"/>' in self.received, self.received
            self.times.append(time.perf_counter() - self.begun)
            self.received = b""
            self.idle.append(self)

    def connection_lost(self, _):
        if self in self.idle:
            self.idle.remove(self)


async def load(port, rate, seconds, first=0):
    loop, idle, times = asyncio.get_running_loop(), [], []
    messages = [request(port, first + number) for number in range(rate * seconds)]  # made before: the load is not the measure
    for _ in range(50):
        await loop.create_connection(lambda: Connection(idle), "127.0.0.1", port)
    begun, late = time.perf_counter() + 0.2, 0
    for number, message in enumerate(messages):
        due = begun + number / rate
        while (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        if not idle:
            await loop.create_connection(lambda: Connection(idle), "127.0.0.1", port)
        late = max(late, time.perf_counter() - due)
        idle.pop(0).send(message, time.perf_counter(), times)
    await asyncio.sleep(2)
    return sorted(times), len(messages), late


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("program", help="the routerd to measure")
    arguments.add_argument("--rate", type=int, default=500, help="webhooks a second")
    arguments.add_argument("--seconds", type=int, default=20)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = 20000 + os.getpid() % 10000
        Path(folder, "routes").mkdir()
        Path(folder, "routes", "main.yaml").write_text(ROUTES)
        Path(folder, "routerd.yaml").write_text(SETTINGS % {"folder": folder, "port": port})
        program = os.path.abspath(given.program)
        server = subprocess.Popen([program, "run", "--config", folder + "/routerd.yaml"], cwd=folder)
        try:
            subprocess.run([program, "status", "--wait", "20", "--socket", folder + "/control"], check=True,
                           stdout=subprocess.DEVNULL, cwd=folder)
            asyncio.run(load(port, given.rate, 2))  # the first ones find everything cold
            times, sent, late = asyncio.run(load(port, given.rate, given.seconds, first=1_000_000))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    at = lambda share: 1000 * times[min(len(times) - 1, int(share * len(times)))]
    print("RESULT webhooks-at-%d/s p50=%.2fms p99=%.2fms max=%.2fms answered=%d/%d load-late=%.1fms"
          % (given.rate, at(0.5), at(0.99), at(1), len(times), sent, 1000 * late))


if __name__ == "__main__":
    main()
