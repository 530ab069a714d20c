"""A small JSON backend: a page, a health path, and a graceful stop."""
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STARTED = time.time()


def read_task():
    """Which task this is, from the ECS metadata endpoint where there is one."""
    uri = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if uri:
        try:
            with urllib.request.urlopen(uri + "/task", timeout=2) as answer:
                return json.load(answer)["TaskARN"].rsplit("/", 1)[-1]
        except OSError:
            pass
    return socket.gethostname()


TASK = read_task()


class InFlight:
    """Counts requests, so that the stop can wait for those under way."""

    def __init__(self):
        self.count = 0
        self.changed = threading.Condition()

    def __enter__(self):
        with self.changed:
            self.count += 1

    def __exit__(self, *_):
        with self.changed:
            self.count -= 1
            self.changed.notify_all()

    def wait_for_none(self, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.count == 0, timeout=seconds)


IN_FLIGHT = InFlight()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 75  # an idle kept connection outlives the load balancer's own idle time

    def do_GET(self):
        with IN_FLIGHT:
            self.route()

    def route(self):
        path = self.path.split("?")[0]
        if path == "/health":
            self.answer(200, "application/json", json.dumps({"status": "ok"}))
        elif path == "/":
            self.answer(200, "text/html; charset=utf-8",
                        f"<!doctype html><title>hello-python</title><h1>Hello from Python</h1>"
                        f"<p>Answered by task <code>{TASK}</code></p>")
        elif path == "/api/hello":
            self.answer(200, "application/json", json.dumps({
                "message": os.environ.get("GREETING", "Hello"),
                "backend": "python",
                "task": TASK,
                "uptime_seconds": round(time.time() - STARTED, 1),
            }))
        else:
            self.answer(404, "application/json", json.dumps({"error": "not found", "path": path}))

    def answer(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        if self.path != "/health":
            print(json.dumps({"task": TASK, "request": format % args}), flush=True)


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away (a health check that has seen enough) is no error of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    server = Server(("", int(os.environ.get("PORT", "8080"))), Handler)
    # shutdown() waits for serve_forever() to end, so it must not run on this thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(json.dumps({"task": TASK, "event": "listening", "port": server.server_port}), flush=True)
    server.serve_forever()
    IN_FLIGHT.wait_for_none(seconds=20)
    print(json.dumps({"task": TASK, "event": "stopped"}), flush=True)


main()
