"""What may wait: a thread that does one thing again and again, beside the loop and never in it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from assay.errors import AssayError
from assay.rollout.controller.logs import Log

_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 60.0


class Worker:
    """Runs ``work`` every ``seconds``, sooner when it is woken, later while it fails."""

    def __init__(self, name: str, work: Callable[[], object], *, seconds: float, log: Log) -> None:
        self.name, self._work, self._seconds, self._log = name, work, seconds, log
        self._wake = threading.Event()
        self._ended = False
        self._failures = 0
        self.trouble: str | None = None
        """Why it failed last; None where it did not."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Have it run now."""
        self._wake.set()

    def end(self) -> None:
        """Have it run once more, and end."""
        self._ended = True
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait until it has ended, at most so long."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def once(self) -> bool:
        """Run it here and now; say whether it went well."""
        try:
            self._work()
        except AssayError as error:
            self._failed(str(error))
            return False
        except Exception as error:  # noqa: BLE001 -- a defect here must not stop the traffic's loop
            self._failed(f"a defect: {type(error).__name__}: {error}")
            return False
        if self.trouble is not None:
            self._log.info(f"{self.name} works again")
        self.trouble, self._failures = None, 0
        return True

    def _failed(self, why: str) -> None:
        self._failures += 1
        if why != self.trouble:
            self._log.warning(f"{self.name} failed", reason=why[:500])
        self.trouble = why[:500]

    def _run(self) -> None:
        while not self._ended:
            self._wake.clear()
            self.once()
            pause = self._seconds
            if self._failures:
                longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (self._failures - 1))
                pause = max(self._seconds, longest)
            self._wake.wait(pause)
        self.once()
