"""A real HTTPS server with a certificate of each sort, for HTTPClientTests.

Prints one line of JSON with the ports, then serves until its standard input closes.
"""
import atexit, http.server, json, os, shutil, signal, socket, ssl, subprocess, sys, tempfile, threading, time

folder = tempfile.mkdtemp()
atexit.register(shutil.rmtree, folder, ignore_errors=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())


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

    written = 0
    ended = threading.Event()

    def head(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, piece):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def do_GET(self):
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/events":
            self.head()
            for piece in (b"data: one\n", b"\ndata: t", b"wo\n\n"):
                self.chunk(piece)
                time.sleep(0.05)
            self.wfile.write(b"0\r\n\r\n")
        elif self.path in ("/stalls", "/breaks"):
            self.head()
            self.chunk(b"first")
            if self.path == "/stalls":
                time.sleep(30)
            self.close_connection = True
        elif self.path == "/endless":
            # What was written when nobody reads any more is asked for at /written.
            self.head()
            Handler.written = 0
            Handler.ended.clear()
            try:
                for _ in range(1 << 16):
                    self.chunk(b"x" * (1 << 16))
                    Handler.written += 1 << 16
            except OSError:
                pass
            Handler.ended.set()
            self.close_connection = True
        elif self.path == "/written":
            self.answer(200, str(Handler.written).encode())
        elif self.path == "/ended":
            self.answer(200, str(Handler.ended.wait(30)).encode())
        elif self.path == "/trailers":
            self.head()
            self.chunk(b"body")
            self.wfile.write(b"0\r\nX-Late: yes\r\n\r\n")
        elif self.path == "/hints":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: nothing\r\n\r\n")
            self.answer(200, b"after the hints")
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


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


class SixServer(Server):
    address_family = socket.AF_INET6


def serve(name):
    if name == "six":
        server = SixServer(("::1", 0), Handler)
    else:
        server = Server(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # clients that refuse a certificate are what this is for
    if name in certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, f"{name}.crt"), os.path.join(folder, f"{name}.key"))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


certificates = ("right", "other", "expired", "own")
ports = {name: serve(name) for name in ("plain", "six") + certificates}
print(json.dumps({"authority": os.path.join(folder, "ca.crt"), "ports": ports}), flush=True)
sys.stdin.read()
