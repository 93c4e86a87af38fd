"""Shows the output of foreign code so that neither a runner nor a terminal obeys it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from assay.cli.console import printable


class LogTranscript:
    """Groups for GitHub's log, plain lines elsewhere.

    In Actions foreign lines stand between ``::stop-commands::<token>`` and ``::<token>::``, with
    a token that their author cannot know.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        in_actions: bool,
        token: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._stream = stream
        self._in_actions = in_actions
        self._token = token

    @contextmanager
    def foreign(self, title: str) -> Iterator[Callable[[str], None]]:
        """Open a group; yields what writes one foreign line."""
        name = printable(title.replace("\n", " "))[:200]
        if not self._in_actions:
            self._write(f"$ {name}")
            yield lambda line: self._write(printable(line))
            return
        stop = self._token()
        self._write(f"::group::{name}")
        self._write(f"::stop-commands::{stop}")
        try:
            yield lambda line: self._write(line.replace("\r", " "))
        finally:
            self._write(f"::{stop}::")
            self._write("::endgroup::")

    def say(self, text: str) -> None:
        """Write one line of Assay's own."""
        if self._in_actions:
            from assay.github.commands import log_line

            self._write(log_line(text))
        else:
            self._write(printable(text))

    def warn(self, text: str) -> None:
        """Write a warning; in Actions as an annotation."""
        if self._in_actions:
            from assay.github.commands import Annotation, annotation_line

            self._write(annotation_line(Annotation(level="warning", message=text)))
        else:
            self._write(f"assay: warning: {printable(text)}")

    def mask(self, values: tuple[str, ...]) -> None:
        """Have the runner hide these values from here on; elsewhere nothing prints them."""
        if self._in_actions:
            from assay.github.commands import mask_lines

            for value in values:
                for line in mask_lines(value):
                    self._write(line)

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
