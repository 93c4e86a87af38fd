"""A process of its own that watches the controller's sign of life, and takes its place once.

Weights hold where a controller died; what must not hold is a canary that nobody judges. After
``lost_after`` seconds without a sign the watchdog takes the lock (a controller that hangs with it
is killed first), raises the epoch, so that what it replaces can do nothing more, and takes the
rollout back, or only says so.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from assay.errors import AssayError
from assay.evidence import Cause
from assay.rollout.controller.heartbeat import Pulse
from assay.rollout.controller.service import Service, Setup
from assay.rollout.records import Order
from assay.state import Held, holder_in, is_held

ROLE = "watchdog"
_LOOKS = 1.0
_DEATH = 10.0
_RESCUE = 300.0


@dataclass(frozen=True, kw_only=True)
class Watch:
    """After how many silent seconds what is done."""

    lost_after: float = 60.0
    when_lost: Literal["rollback", "hold"] = "rollback"


class Watchdog:
    """Watches one state folder. ``kill`` ends a process that hangs."""

    def __init__(
        self, setup: Setup, watch: Watch, *, kill: Callable[[int, int], object] = os.kill
    ) -> None:
        self._setup, self._watch, self._kill = setup, watch, kill
        self._pulse = Pulse(setup.folder, setup.clock.running)
        self._handled: bytes | None = None

    def run(self, stop: threading.Event) -> None:
        """Look every second until ``stop``."""
        while not stop.is_set():
            self.look()
            stop.wait(_LOOKS)

    def look(self) -> bool:
        """Look once; say whether something was done about a lost controller."""
        if self._pulse.silent() < self._watch.lost_after or not self._pulse.seen:
            return False
        if self._pulse.seen == self._handled:
            return False
        log = self._setup.log
        log.alert("the controller is lost", seconds=self._watch.lost_after)
        try:
            done = self._watch.when_lost == "rollback" and self._rescue()
        except AssayError as error:
            # Tried again after the same time: the target or the disk may come back.
            log.alert("the rollout could not be taken back", reason=str(error)[:500])
            self._pulse.forget()
            return False
        self._handled = self._pulse.seen
        return done

    def _rescue(self) -> bool:
        if not self._freed():
            return False
        try:
            service = Service(self._setup, role=ROLE)
        except Held:
            # The controller came back in this moment.
            return False
        try:
            return _took_back(service)
        finally:
            service.close()

    def _freed(self) -> bool:
        """End a controller that holds the lock and gives no sign; say whether the lock is free."""
        folder = self._setup.folder
        if not is_held(folder):
            return True
        holder = holder_in(folder)
        if holder.role == ROLE or holder.pid is None:
            return False
        self._setup.log.alert("the controller hangs and is killed", pid=holder.pid)
        self._kill(holder.pid, signal.SIGKILL)
        ends = time.monotonic() + _DEATH
        while is_held(folder):
            if time.monotonic() > ends:
                return False
            time.sleep(0.05)
        return True


def _took_back(service: Service) -> bool:
    """Take back what is on its way, and see it acknowledged."""
    state = service.controller.store.state
    if state.rollout is None and state.returning is None:
        return False
    service.controller.started()
    if state.rollout is not None:
        service.controller.order(Order(kind="lost", by=ROLE, cause=Cause.LOST))
    ends = time.monotonic() + _RESCUE
    while True:
        service.round()
        if service.controller.settled() or time.monotonic() > ends:
            break
        time.sleep(0.05)
    service.push()
    return True
