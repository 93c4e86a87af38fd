"""What the socket answers: the status, and a person's orders, done or only tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from assay.errors import InputError, OutsideError
from assay.evidence import Cause
from assay.rollout.controller.loop import Controller
from assay.rollout.records import Action, Alert, Apply, Order, Record, Start

HAND = ("rollback", "pause", "resume", "abort", "advance")
"""What a person at the host may order; deploying and clearing take a signed intent."""
_PATIENCE = 30.0


class Answers:
    """``wake`` has the loop tick now; ``status`` is its view."""

    def __init__(
        self,
        controller: Controller,
        *,
        status: Callable[[], dict[str, Any]],
        wake: Callable[[], object],
    ) -> None:
        self._controller, self._status, self._wake = controller, status, wake

    def __call__(self, request: Mapping[str, Any], user: str) -> Mapping[str, Any]:
        """Answer one request; raises InputError for one that is none."""
        if request.get("do") == "status":
            return self._status()
        if request.get("do") == "order":
            order = self._order(request, user)
            return self._try(order) if request.get("dry_run") else self._give(order)
        raise InputError("this is no request that a controller knows.")

    def _order(self, request: Mapping[str, Any], user: str) -> Order:
        if request.get("kind") not in HAND:
            raise InputError(
                f"only {', '.join(HAND)} can be ordered here.",
                remedy="A deploy takes a signed intent: assay deploy.",
            )
        drill = bool(request.get("drill"))
        try:
            return Order(
                kind=request["kind"],
                by=user,
                digest=self._version(request.get("to")),
                cause=Cause.DRILL if drill else Cause.HAND,
                reason=request.get("reason"),
            )
        except ValidationError:
            raise InputError("the order is not of its form.") from None

    def _version(self, wanted: object) -> str | None:
        """Find the version that begins like ``wanted`` among all that the chain names."""
        if wanted is None:
            return None
        links = self._controller.store.links
        named = (link.facts["artifact_digest"] for link in links)
        known = {str(digest) for digest in named if digest is not None}
        found = sorted(one for one in known if one.startswith(str(wanted)))
        if len(found) == 1:
            return found[0]
        several = ", ".join(one[:16] for one in found[:5])
        raise InputError(
            f"{len(found)} versions begin like {str(wanted)[:64]!r}"
            + (f": {several}." if found else " in this target's journal."),
            remedy="assay history lists them; name more of the digest.",
        )

    def _try(self, order: Order) -> Mapping[str, Any]:
        return {"would": list(map(described, self._controller.preview(order)))}

    def _give(self, order: Order) -> Mapping[str, Any]:
        controller = self._controller
        before = len(controller.store.links)
        controller.order(order)
        self._wake()
        ends = time.monotonic() + _PATIENCE
        while not controller.heard(order):
            if time.monotonic() > ends:
                raise OutsideError(
                    f"the controller did not take it within {_PATIENCE:.0f} s.",
                    remedy="It stays in its queue: look at assay status and at its log.",
                )
            time.sleep(0.01)
        while controller.unrecorded() and time.monotonic() < ends:
            time.sleep(0.01)
        new = controller.store.links[before:]
        return {"decisions": [dict(link.facts) for link in new], "status": self._status()}


def described(action: Action) -> str:
    """Say what an action would do, for --dry-run."""
    if isinstance(action, Start):
        return f"start {action.digest[:12]}"
    if isinstance(action, Apply):
        shares = ", ".join(
            f"{digest[:12]} {share / 100:g} %" for digest, share in action.route.weights.items()
        )
        return f"route {action.route.generation}: {shares}"
    if isinstance(action, Record):
        return f"record {action.kind}: {action.sentence}"
    if isinstance(action, Alert):
        return f"alert: {action.sentence}"
    return f"stop {action.digest[:12]}"
