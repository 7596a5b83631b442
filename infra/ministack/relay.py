"""An HTTP server on loopback whose answers a function gives, and a way to pass a request on unchanged. Standard library only.

Used by the router before moto (moto_resources.py).
"""

import dataclasses
import http.client
import http.server
import socket
import threading
import urllib.parse

TIMEOUT_SECONDS = 60
# Said hop by hop, and set again for the next one.
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


@dataclasses.dataclass
class Request:
    """A request, with its path and query as they were sent."""

    method: str
    target: str
    headers: dict
    body: bytes
    peer: str

    def header(self, name):
        """The header of this name in any letters, or ""."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


@dataclasses.dataclass
class Reply:
    """An answer."""

    status: int
    headers: dict
    body: bytes


def forward(base, request):
    """The answer of the server at `base` to the request, with its headers as they are: they may be signed."""
    server = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(server.hostname, server.port, timeout=TIMEOUT_SECONDS)
    try:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP}
        connection.request(request.method, request.target, request.body, headers)
        reply = connection.getresponse()
        headers = {key: value for key, value in reply.getheaders() if key.lower() not in HOP}
        return Reply(reply.status, headers, reply.read())
    finally:
        connection.close()


def serve(port, answer):
    """Serves on loopback, in threads. `answer` takes a Request and gives a Reply, or None: the connection ends without one."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def handle_one(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            reply = answer(Request(self.command, self.path, dict(self.headers.items()), body, self.client_address[0]))
            if reply is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

        def log_message(self, format, *words):
            """Quiet: what matters is logged by `answer`."""

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
