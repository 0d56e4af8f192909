"""A webhook receiver that verifies and deduplicates, with Python's standard library alone.

    python3 receiver.py PORT [SECRET]

Prints one line per new event. Standard Webhooks: the signature covers `{id}.{timestamp}.{body}`; the id is the same on every
attempt, so an id that was seen is answered and not done twice.
"""

import base64
import hashlib
import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOLERANCE_SECONDS = 300
seen = set()
lock = threading.Lock()


def is_signed(headers, body, secret):
    """Whether any signature in the header is ours, compared in constant time, and the timestamp is recent."""
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{identifier}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    offered = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, signature) for signature in offered)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    secret = SECRET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not is_signed(self.headers, body, self.secret):
            return self.answer(401)
        identifier = self.headers["webhook-id"]
        with lock:
            if identifier not in seen:
                event = json.loads(body)
                print(event["sequence"], event["type"], identifier, event["subject"], flush=True)
                # In real life: in the same transaction as what the event changes.
                seen.add(identifier)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    Receiver.secret = sys.argv[2] if len(sys.argv) > 2 else SECRET
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print(f"listening on {server.server_port}", file=sys.stderr, flush=True)
    server.serve_forever()
