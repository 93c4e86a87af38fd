"""Run the consumer's commands: streamed, bounded in time, and gone with all their children."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import quote, quote_plus

from assay.errors import OutsideError

_CHUNK = 64 * 1024
_LONGEST_LINE = 16 * 1024
_TAIL_LINES = 200
_GRACE_SECONDS = 10.0
_DRAIN_SECONDS = 1.0
_HIDDEN = "***"
_SHORTEST_SECRET = 4
_SHORTEST_BASE64 = 8


class Transcript(Protocol):
    """Where the output of foreign code is shown."""

    def foreign(self, title: str) -> AbstractContextManager[Callable[[str], None]]:
        """Open a group named ``title``; yields what writes one line of it, harmlessly."""

    def say(self, text: str) -> None:
        """Write one line of Assay's own."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that ended: exit code (None after a timeout), seconds, and its last lines."""

    code: int | None
    seconds: float
    tail: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether it ended in time with exit code 0."""
        return self.code == 0

    def why(self, what: str, timeout: float) -> str:
        """Return one sentence on how it failed, ended by the last line it printed."""
        last = next((line.strip() for line in reversed(self.tail) if line.strip()), "")
        shown = f": {last[:300]}" if last else ""
        if self.code is None:
            return f"{what} was stopped after {timeout:.0f} seconds{shown}"
        if self.code < 0:
            return f"{what} was killed by {_signal_name(-self.code)}{shown}"
        return f"{what} ended with exit code {self.code}{shown}"


@dataclass(frozen=True)
class Redactor:
    """Takes declared secrets out of text that evidence will hold."""

    secrets: tuple[str, ...] = field(default=(), repr=False)

    def __call__(self, text: str) -> str:
        """Return ``text`` with every secret, and every line of one, replaced, encoded or not."""
        for secret in self.masks():
            text = text.replace(secret, _HIDDEN)
        return text

    def masks(self) -> tuple[str, ...]:
        """Return what to hide, longest first; shorter pieces than four characters hide nothing.

        A password stands in a URL in percent signs, in a header in Base64, in JSON in escapes.
        """
        return _longest_first({*self._pieces(), *self.encoded()})

    def encoded(self) -> tuple[str, ...]:
        """Return the encoded forms alone, those that differ from what is encoded."""
        pieces = self._pieces()
        return _longest_first({form for piece in pieces for form in _encoded(piece)} - pieces)

    def _pieces(self) -> set[str]:
        return {
            piece.strip()
            for secret in self.secrets
            for piece in (secret, *secret.splitlines())
            if len(piece.strip()) >= _SHORTEST_SECRET
        }


def _longest_first(texts: set[str]) -> tuple[str, ...]:
    return tuple(sorted(texts, key=lambda text: (-len(text), text)))


def _encoded(piece: str) -> Iterator[str]:
    data = piece.encode(errors="surrogateescape")
    yield from (quote(data), quote(data, safe=""), quote_plus(data))
    yield from (json.dumps(piece)[1:-1], json.dumps(piece, ensure_ascii=False)[1:-1])
    # Base64 takes three bytes at a time, so what stands before decides between three forms; the
    # characters that also hold bits of a neighbour are left out.
    for before, spoilt in ((0, 0), (1, 2), (2, 3)):
        text = b64encode(bytes(before) + data).decode()[spoilt : (before + len(data)) * 8 // 6]
        if len(text) >= _SHORTEST_BASE64:
            yield from (text, text.replace("+", "-").replace("/", "_"))


def run_streamed(
    arguments: Sequence[str],
    *,
    cwd: Path,
    variables: Mapping[str, str],
    timeout: float,
    write: Callable[[str], None],
) -> Ended:
    """Run ``arguments`` with exactly ``variables``, handing each line of output to ``write``.

    The command gets a process group of its own: at the timeout, and after its end, whatever is
    left of the group is stopped. Raises OutsideError where it cannot be started.
    """
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            list(arguments),
            cwd=cwd,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise OutsideError(f"{arguments[0]} could not be started: {error}.") from None
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    try:
        in_time = True
        for line in _lines(process, started + timeout):
            if line is None:
                in_time = False
                break
            tail.append(line[:1000])
            write(line)
        code = process.wait() if in_time else None
    finally:
        _stop_group(process)
    return Ended(code=code, seconds=time.monotonic() - started, tail=tuple(tail))


def _lines(process: subprocess.Popen[bytes], deadline: float) -> Iterator[str | None]:
    """Yield lines until the output ends; None once at the deadline.

    A child left in the background may keep the pipe open: after the command itself has ended,
    only what is written within a second still counts.
    """
    assert process.stdout is not None  # noqa: S101 -- stdout=PIPE above
    pending = b""
    ended: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if now >= deadline:
                yield None
                return
            if ended is not None and now - ended > _DRAIN_SECONDS:
                break
            if selector.select(min(0.2, deadline - now)):
                chunk = _read(process.stdout)
                if not chunk:
                    break
                *whole, pending = (pending + chunk).split(b"\n")
                yield from map(_text, whole)
                if len(pending) > _LONGEST_LINE:
                    yield _text(pending)
                    pending = b""
            if ended is None and process.poll() is not None:
                ended = time.monotonic()
    if pending:
        yield _text(pending)
    if not _ended_by(process, deadline):
        yield None


def _ended_by(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _read(stream: IO[bytes]) -> bytes:
    return os.read(stream.fileno(), _CHUNK)


def _text(line: bytes) -> str:
    text = line.removesuffix(b"\r").decode(errors="replace")
    if len(text) <= _LONGEST_LINE:
        return text
    return f"{text[:_LONGEST_LINE]}… ({len(text):,} characters)"


def _stop_group(process: subprocess.Popen[bytes]) -> None:
    """Ask what is left of the group to end, then make it."""
    still_running = process.poll() is None
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except (ProcessLookupError, PermissionError):
            break
        if not still_running:
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE_SECONDS)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
