"""One controller at a time: a Lease of the cluster, taken, renewed and given back.

A lease counts as abandoned when nothing of it changed for its duration, measured on the clock of
who looks; the clocks of two machines are never compared. Its number of transitions is the epoch:
written on the route, it keeps out a controller that was paused while another took over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from assay.errors import OutsideError
from assay.rollout.targets.kubernetes.api import LEASE, Api, Conflict, Object
from assay.rollout.targets.manifests import Site

DURATION = 15
"""Seconds of silence after which another controller takes over."""


class Held(OutsideError):
    """Another controller holds the target."""


class Lease:
    """The lease of one site, for the controller that is called ``holder``.

    ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self, api: Api, site: Site, holder: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._site = site
        self._holder = holder
        self._clock = clock
        self._seen: tuple[str, float] | None = None
        self._renewed: float | None = None
        self.epoch = 0

    def hold(self) -> int:
        """Take the lease, or renew it when a third of it is over; return the epoch.

        Raises Held where another controller has it, and OutsideError where the API is away.
        """
        now = self._clock()
        if self._renewed is not None and now - self._renewed < DURATION / 3:
            return self.epoch
        found = self._api.get(LEASE, self._site.base)
        if found is not None:
            self._check_free(found, now)
        try:
            written = self._api.write(self._next(found), new=found is None)
        except Conflict as error:
            self._renewed = None
            raise Held(
                f"another controller was first to take {self._site.target}.",
                remedy="Only one runs a target; this one tries again.",
            ) from error
        self._renewed, self.epoch = now, int(written["spec"].get("leaseTransitions", 0))
        return self.epoch

    def renew(self) -> None:
        """Renew the lease if it is this controller's; say nothing where it is not."""
        if self._renewed is not None:
            try:
                self.hold()
            except OutsideError:
                self._renewed = None

    def release(self) -> None:
        """Give the lease back, so that the next controller need not wait for it to run out."""
        found = self._api.get(LEASE, self._site.base)
        self._renewed = None
        if found is not None and found["spec"].get("holderIdentity") == self._holder:
            found["spec"].update(holderIdentity="", leaseDurationSeconds=1)
            self._api.write(found, new=False)

    def _check_free(self, found: Object, now: float) -> None:
        spec = found.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        version = str(found["metadata"]["resourceVersion"])
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
        if holder in {"", self._holder}:
            return
        silent = now - self._seen[1]
        lasts = float(spec.get("leaseDurationSeconds") or DURATION)
        if silent < lasts:
            self._renewed = None
            raise Held(
                f"{holder} holds {self._site.target}; it was silent for {silent:.0f} of "
                f"{lasts:.0f} seconds.",
                remedy="Stop that controller, or wait: it is taken over once it is silent.",
            )

    def _next(self, found: Object | None) -> Object:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec: Object = dict((found or {}).get("spec") or {})
        if spec.get("holderIdentity") != self._holder:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        spec |= {"holderIdentity": self._holder, "leaseDurationSeconds": DURATION, "renewTime": now}
        if found is None:
            made = self._site.manifest(LEASE.api, LEASE.kind, spec)
            return {**made, "spec": spec}
        # The version that was read goes along: a write that was overtaken is refused.
        metadata = {**found["metadata"], "managedFields": None}
        return {**found, "metadata": metadata, "spec": spec}
