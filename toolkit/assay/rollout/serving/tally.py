"""Counts of a process's answers, by the generation of the route that sent the requests.

For routers that report no counts of their own: the route says with each request which generation
it is of, and what is slow. Nothing is counted without that.
"""

from __future__ import annotations

from collections import OrderedDict

KEPT = 16
"""Generations that are kept; the controller asks for the newest one alone."""
SERVER_ERROR = 500


class Tally:
    """Requests, errors and slow answers of each generation, since the process began."""

    def __init__(self) -> None:
        self._counts: OrderedDict[int, list[int]] = OrderedDict()

    def add(self, generation: int, *, status: int, milliseconds: float, slow_over: float) -> None:
        """Count one answer; a status of 0 is a request that was given up."""
        counts = self._counts.setdefault(generation, [0, 0, 0])
        failed = status >= SERVER_ERROR or status == 0
        counts[0] += 1
        counts[1] += failed
        counts[2] += failed or milliseconds > slow_over
        while len(self._counts) > KEPT:
            self._counts.popitem(last=False)

    def counters(self) -> dict[str, list[int]]:
        """Requests, errors and slow answers, by generation; JSON."""
        return {str(generation): list(counts) for generation, counts in self._counts.items()}
