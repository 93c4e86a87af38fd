"""Serves HTTP on this machine, for the small servers that stand for others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1, on a free port or on that one, silently; gives the address.

    Raises OSError where the port is taken.
    """
    silent = type("Silent", (handler,), {"log_message": _say_nothing})
    with answering(ThreadingHTTPServer(("127.0.0.1", port), silent)) as address:
        yield address


@contextmanager
def answering(server: ThreadingHTTPServer) -> Iterator[str]:
    """Let a server answer until the block ends; gives the address."""
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _say_nothing(*_: object) -> None:
    """In place of a line on the terminal for each request."""
