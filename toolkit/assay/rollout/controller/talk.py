"""The Unix socket of a controller: one JSON object a line, one answer a line.

It lies in the state folder with permissions for its owner alone, so whoever can speak here could
also stop the process. That is why nothing here is signed; and why nothing here can deploy.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from assay.errors import InputError, Location, OutsideError

NAME = "control.sock"
MAX_BYTES = 1024 * 1024
_LONGEST_PATH = 107
"""Bytes of a Unix socket's path (unix(7): 108 with the NUL at its end)."""
Answer = Callable[[Mapping[str, Any], str], Mapping[str, Any]]
"""Given a request and the name of the user who asks, what is answered."""


class Listener:
    """Answers requests in threads of its own. Raises what `check_folder` raises."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self._path, self._answer = folder / NAME, answer
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(_address(self._path))
            self._path.chmod(0o600)
            self._socket.listen(8)
        except OSError as error:
            self._socket.close()
            raise OutsideError(
                f"no socket can be made here: {error.strerror}.",
                where=Location(file=self._path.as_posix()),
            ) from None
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and take the socket away."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(60)
            request = json.loads(_line(connection))
            try:
                reply = dict(self._answer(request, _peer(connection)))
            except (InputError, OutsideError) as error:
                reply = {"error": error.message, "remedy": error.remedy, "code": error.exit_code}
            connection.sendall(json.dumps(reply).encode() + b"\n")


def ask(folder: Path, request: Mapping[str, Any], *, seconds: float = 10.0) -> dict[str, Any]:
    """Ask the controller of a state folder; raises OutsideError where none answers.

    Raises InputError, or OutsideError, where it refuses.
    """
    path = folder / NAME
    try:
        address = _address(path)
    except InputError as error:
        # No controller began there, so none answers: whoever can do without one goes on.
        raise OutsideError(error.message, where=error.where, remedy=error.remedy) from None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(address)
            connection.sendall(json.dumps(dict(request)).encode() + b"\n")
            reply = json.loads(_line(connection))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error) or "no answer"
            raise OutsideError(
                f"no controller answers: {why}.",
                where=Location(file=path.as_posix()),
                remedy="Start it (assay controller run), or name its state folder with --state.",
            ) from None
    if "error" in reply:
        kind = InputError if reply.get("code") == InputError.exit_code else OutsideError
        raise kind(str(reply["error"]), remedy=reply.get("remedy"))
    return dict(reply)


def _peer(connection: socket.socket) -> str:
    """Name the user at the other end, as the kernel knows it."""
    size = struct.calcsize("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    uid = struct.unpack("3i", raw)[1]
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _line(connection: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\n"):
        more = connection.recv(65_536)
        if not more or len(found) > MAX_BYTES:
            raise ValueError("the answer is cut off")
        found += more
    return found


def check_folder(folder: Path) -> None:
    """Raise InputError where a state folder's path leaves no room for its socket's."""
    _address(folder / NAME)


def _address(path: Path) -> str:
    """The address of the socket; raises InputError where it is longer than one may be."""
    size = len(os.fsencode(path))
    if size <= _LONGEST_PATH:
        return path.as_posix()
    raise InputError(
        f"a controller's socket lies in its state folder, and this path has {size} bytes where "
        f"Unix allows a socket {_LONGEST_PATH}.",
        where=Location(file=path.as_posix()),
        remedy=f"Name a state folder of at most {_LONGEST_PATH - len(NAME) - 1} bytes with "
        "--state, the same for each command of this controller.",
    )
