"""A real HTTP proxy: tunnels by CONNECT, and forwards plain requests. Prints its port, then serves until its standard input
closes. It resolves no names: every tunnel goes to 127.0.0.1. A GET of /tunnels answers how many there were."""
import http.server, select, socket, sys, threading

tunnels = []


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        host, _, port = self.path.rpartition(":")
        tunnels.append(host)
        if host == "forbidden.example":
            return self.send_error(403)
        with socket.create_connection(("127.0.0.1", int(port))) as other:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            ends = {self.connection: other, other: self.connection}
            while True:
                for ready in select.select(list(ends), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    ends[ready].sendall(data)

    def do_GET(self):
        if self.path.startswith("http://"):
            body = f"through the proxy: {self.path}".encode()
        else:
            body = ",".join(tunnels).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
