"""A local HTTP server that can misbehave like those of the world."""

import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Files:
    """What the server has and how it behaves.

    Attributes:
        content: path → bytes.
        faults: for the next answers, in their order: ``status N``, ``cut N`` (close after N bytes), ``flip``
            (one bit wrong), ``ignore range``, ``wrong range``, ``no length``; each is used once.
        log: (path, Range header, status) of each answer.
        etag: whether to send one.
    """

    def __init__(self, content):
        self.content = content
        self.faults = []
        self.log = []
        self.etag = True
        self.pieces = threading.Event()
        self.pieces.set()

    def ranges(self):
        return [span for _, span, _ in self.log]


def handler(files):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            fault = files.faults.pop(0) if files.faults else ""
            body = files.content.get(self.path)
            if fault.startswith("status"):
                return self.answer(int(fault.split()[1]), b"")
            if body is None:
                return self.answer(404, b"")
            if fault == "flip":
                body = bytes([body[0] ^ 1]) + body[1:]
            tag = f'"{hashlib.md5(body).hexdigest()}"'
            span, start = self.headers.get("Range"), 0
            fits = self.headers.get("If-Range") in (None, tag)
            if span and fits and fault != "ignore range":
                start = int(span.removeprefix("bytes=").rstrip("-"))
                if start >= len(body):
                    return self.answer(416, b"")
            shown = start + 1 if fault == "wrong range" else start
            headers = {"ETag": tag} if files.etag else {}
            if start:
                headers["Content-Range"] = f"bytes {shown}-{len(body) - 1}/{len(body)}"
            if fault != "no length":
                headers["Content-Length"] = str(len(body) - start)
            cut = int(fault.split()[1]) if fault.startswith("cut") else None
            return self.answer(206 if start else 200, body[start:], headers, cut)

        def answer(self, status, body, headers=None, cut=None):
            files.log.append((self.path, self.headers.get("Range"), status))
            self.send_response(status)
            for name, value in (headers or {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            body = body if cut is None else body[:cut]
            with contextlib.suppress(OSError):
                for at in range(0, len(body), 1 << 16):
                    files.pieces.wait(10)
                    self.wfile.write(body[at : at + (1 << 16)])
            self.close_connection = True

    return Handler


@contextlib.contextmanager
def serve(content):
    """Serves ``content`` on a free port; yields its address and the `Files`."""
    files = Files(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(files))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", files
    finally:
        files.pieces.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
