"""A web server for tests, on loopback only. Prints its port; ends when its input does.

server.py [CERTIFICATE]: with one it speaks TLS. Paths: /echo (all it was asked, as JSON), /status/N, /redirect/N?to=URL, /drop (reads, then hangs up),
/slow, /big, /count (how often /hit was asked), /hit.
"""
import http.server, json, ssl, sys, threading, time, urllib.parse, os

hits = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, status, body=b"", kind="text/plain", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        first, *rest = address.path.strip("/").split("/")
        if first == "echo":
            asked = {"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body.decode()}
            self.reply(200, json.dumps(asked).encode(), "application/json", [("X-Twice", "a"), ("X-Twice", "b")])
        elif first == "status":
            self.reply(int(rest[0]), b"status")
        elif first == "redirect":
            self.reply(int(rest[0]), headers=[("Location", query["to"])])
        elif first == "drop":
            hits.append(self.path)
            self.close_connection = True
            self.connection.close()
        elif first == "slow":
            hits.append(self.path)
            time.sleep(3)
            self.reply(200)
        elif first == "big":
            self.reply(200, b"x" * 3000000)
        elif first == "hit":
            hits.append(body.decode())
            self.reply(200, b"hit")
        elif first == "count":
            self.reply(200, json.dumps(hits).encode(), "application/json")
        else:
            self.reply(404)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *arguments: None
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
os._exit(0)
