"""A real HTTPS server with a certificate of each sort, for HTTPClientTests.

Prints one line of JSON with the ports, then serves until its standard input closes.
"""
import http.server, json, os, ssl, subprocess, sys, tempfile, threading, time

folder = tempfile.mkdtemp()


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)


def key(name):
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")


def certificate(name, host, *dates):
    key(name)
    run("openssl", "req", "-new", "-key", f"{name}.key", "-subj", f"/CN={host}", "-out", f"{name}.csr")
    with open(os.path.join(folder, f"{name}.ext"), "w") as file:
        file.write(f"subjectAltName=DNS:{host}\n")
    run("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-extfile", f"{name}.ext", "-out", f"{name}.crt", *dates)


key("ca")
run("openssl", "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=routerd test authority", "-days", "2",
    "-out", "ca.crt")
certificate("right", "localhost", "-days", "2")
certificate("other", "other.example", "-days", "2")
certificate("expired", "localhost", "-days", "-1")
key("own")
run("openssl", "req", "-x509", "-new", "-key", "own.key", "-subj", "/CN=localhost", "-addext",
    "subjectAltName=DNS:localhost", "-days", "2", "-out", "own.crt")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/never":
            time.sleep(30)
        elif self.path == "/big":
            self.answer(200, b"x" * 3_000_000)
        elif self.path == "/moved":
            self.answer(302, b"", Location="/chunked")
        elif self.path == "/port":
            self.answer(200, str(self.client_address[1]).encode())
        else:
            self.answer(404, b"nothing here")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, body, X_Echo=self.headers.get("X-Question", ""))


def serve(name):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients that refuse a certificate are what this is for
    if name:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, f"{name}.crt"), os.path.join(folder, f"{name}.key"))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


ports = {name or "plain": serve(name) for name in ("", "right", "other", "expired", "own")}
print(json.dumps({"authority": os.path.join(folder, "ca.crt"), "ports": ports}), flush=True)
sys.stdin.read()
