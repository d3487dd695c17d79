"""A small S3 for tests, on loopback and in memory, of the standard library alone. Prints its port; ends when its input does.

s3.py ACCESS-KEY SECRET-KEY REGION BUCKET. Checks every signature, payload hash and checksum. POST /-/fault?kind=KIND&times=N breaks the next N
requests: 503; before (hangs up, nothing done); after (done, then hangs up); truncate and damage (of the next body that is sent). GET /-/log: what was asked.
"""
import base64, hashlib, hmac, http.server, json, os, sys, threading, urllib.parse
from xml.sax.saxutils import escape

access, secret, region, bucket = sys.argv[1:5]
objects, uploads, faults, log = {}, {}, [], []
lock = threading.RLock()


def code(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, status, body=b"", headers=()):
        fault = self.fault
        if fault == "after":
            return self.hang_up()
        if fault == "damage" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if fault == "truncate" else body)
        if fault == "truncate":
            self.hang_up()

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(2)

    def refuse(self, status, name):
        self.reply(status, f"<?xml version='1.0'?><Error><Code>{name}</Code><Message>no &amp; no</Message></Error>".encode())

    def is_signed(self, path, query, body):
        words = dict(part.strip().split("=", 1) for part in self.headers.get("Authorization", " ").split(" ", 1)[1].split(",") if "=" in part)
        if "Credential" not in words:
            return False
        day = words["Credential"].split("/")[1]
        if words["Credential"] != f"{access}/{day}/{region}/s3/aws4_request":
            return False
        payload = hashlib.sha256(body).hexdigest()
        names = words["SignedHeaders"].split(";")
        request = "\n".join(
            [self.command, path, "&".join(sorted(f"{quote(n)}={quote(v)}" for n, v in query))]
            + [f"{n}:{' '.join(self.headers[n].split())}" for n in names] + ["", ";".join(names), payload])
        text = "\n".join(
            ["AWS4-HMAC-SHA256", self.headers["x-amz-date"], f"{day}/{region}/s3/aws4_request", hashlib.sha256(request.encode()).hexdigest()])
        key = ("AWS4" + secret).encode()
        for part in (day, region, "s3", "aws4_request"):
            key = code(key, part)
        return payload == self.headers["x-amz-content-sha256"] and code(key, text).hex() == words["Signature"] and "host" in names

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qsl(address.query, keep_blank_values=True)
        asked = dict(query)
        self.fault = None
        if address.path == "/-/fault":
            faults.extend([asked["kind"]] * int(asked["times"]))
            return self.reply(200)
        if address.path == "/-/log":
            return self.reply(200, json.dumps(log).encode())
        with lock:
            log.append(f"{self.command} {self.path}")
            self.fault = faults.pop(0) if faults else None
        if self.fault == "before":
            return self.hang_up()
        if self.fault == "503":
            return self.refuse(503, "SlowDown")
        if not self.is_signed(address.path, query, body):
            return self.refuse(403, "SignatureDoesNotMatch")
        host = self.headers["Host"].split(":")[0]
        path = address.path if not host.startswith(bucket + ".") else f"/{bucket}{address.path}"
        named, _, key = path[1:].partition("/")
        if named != bucket:
            return self.refuse(404, "NoSuchBucket")
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if self.headers.get("x-amz-checksum-sha256", checksum) != checksum:
            return self.refuse(400, "BadDigest")
        with lock:
            self.serve(key, asked, body, checksum)

    def serve(self, key, asked, body, checksum):
        if self.command == "GET" and not key:
            names = sorted(n for n in objects if n.startswith(asked["prefix"]) and n > asked.get("continuation-token", ""))
            items = "".join(f"<Contents><Key>{escape(n)}</Key><Size>{len(objects[n])}</Size></Contents>" for n in names[:3])
            token = "" if self.fault == "no-token" else f"<NextContinuationToken>{names[2] if len(names) > 3 else ''}</NextContinuationToken>"
            more = f"<IsTruncated>true</IsTruncated>{token}" if len(names) > 3 else ""
            return self.reply(200, f"<ListBucketResult>{more}{items}</ListBucketResult>".encode())
        if self.command == "PUT" and "uploadId" in asked:
            uploads[asked["uploadId"]][int(asked["partNumber"])] = body
            return self.reply(200, headers=[("ETag", f'"{checksum}"')])
        if self.command == "POST" and "uploads" in asked:
            upload = f"upload{len(log)}"
            uploads[upload] = {}
            return self.reply(200, f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode())
        if self.command == "DELETE" and "uploadId" in asked:
            uploads.pop(asked["uploadId"], None)
            return self.reply(204)
        if self.command in ("PUT", "POST"):
            if asked.get("uploadId", None) not in (None, *uploads):
                return self.refuse(404, "NoSuchUpload")
            if self.headers.get("If-None-Match") == "*" and key in objects:
                return self.refuse(412, "PreconditionFailed")
            if "uploadId" in asked:
                parts = uploads.pop(asked["uploadId"])
                body = b"".join(parts[number] for number in sorted(parts))
            objects[key] = body
            return self.reply(200, b"<Done/>" if self.command == "POST" else b"")
        if self.command == "DELETE":
            objects.pop(key, None)
            return self.reply(204)
        if key not in objects:
            return self.refuse(404, "NoSuchKey")
        stored = objects[key]
        if "Range" in self.headers:
            first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            if first >= len(stored):
                return self.refuse(416, "InvalidRange")
            return self.reply(206, stored[first : last + 1])
        self.reply(200, stored, [("x-amz-checksum-sha256", base64.b64encode(hashlib.sha256(stored).digest()).decode())])

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *arguments: None
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
os._exit(0)
