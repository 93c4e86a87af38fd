"""What a controller knows, kept so that it can be killed at any line.

The order is always the same: ``commit`` puts the next state and the lines of its decisions into
the write-ahead log and waits for the disk; then the target is asked; then ``record`` adds the
lines to the journal. After a kill the log's last entry says which state was meant: the journal gets
the lines that it lacks, and the step says again what is to be done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import OutsideError
from assay.evidence import OnlineEvidence, write_atomically
from assay.rollout.controller.chain import Place, line_of, state_after
from assay.rollout.records import Record, State, restarted
from assay.state import Journal, Link, Wal, link_of

Points = Callable[[str], None]
"""Called with a name at each point between which a kill must change nothing; tests kill there."""
_COMPACT_ABOVE = 400
EVIDENCE = "evidence"


@dataclass(frozen=True, kw_only=True)
class Handled:
    """Which intents were decided about, by their generation."""

    upto: int = 0
    beyond: frozenset[int] = frozenset()

    def __contains__(self, generation: int) -> bool:
        return generation <= self.upto or generation in self.beyond

    def also(self, generation: int) -> Handled:
        """Return this with one more."""
        beyond, upto = self.beyond | {generation}, self.upto
        while upto + 1 in beyond:
            upto += 1
        return Handled(upto=upto, beyond=frozenset(one for one in beyond if one > upto))

    def to_json(self) -> dict[str, Any]:
        """What the log keeps of it."""
        return {"upto": self.upto, "beyond": sorted(self.beyond)}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Handled:
        """Read it back."""
        return cls(upto=facts["upto"], beyond=frozenset(facts["beyond"]))


class Store:
    """The state, the chain and the log of one model on one target; hold the lock first."""

    def __init__(self, folder: Path, place: Place, *, points: Points = lambda _: None) -> None:
        self._folder, self._place, self._points = folder, place, points
        self._wal = Wal(folder / "wal.jsonl")
        self._journal = Journal(folder / "journal.jsonl")
        self._evidence: dict[str, OnlineEvidence] = {}
        self.state, self.handled = State(), Handled()
        self._pending: list[bytes] = []
        self._recover()

    @property
    def links(self) -> tuple[Link, ...]:
        """The chain, as recorded."""
        return self._journal.links

    @property
    def pending(self) -> int:
        """Decisions that are in the log and not in the journal yet."""
        return len(self._pending)

    @property
    def room(self) -> int:
        """Bytes of the log that are reserved."""
        return self._wal.room

    @property
    def unwritten(self) -> int:
        """Decisions that the log alone holds, since the disk took no more."""
        return self._journal.unwritten

    def adopt(self, links: Sequence[Link], handled: Handled) -> None:
        """Begin where the branch's chain ends, on a host that knows nothing."""
        self._journal.adopt(links)
        self.state, self.handled = state_after(links), handled
        self._wal.append(self._entry(self.state, self.handled, []))

    def knows_nothing(self) -> bool:
        """Whether this host never had a decision."""
        return not self._journal.links and not self._pending

    def commit(
        self,
        state: State,
        handled: Handled,
        records: Sequence[Record],
        *,
        epoch: int,
        wall: str,
        urgent: bool,
    ) -> tuple[Link, ...]:
        """Write down what is meant, before it is done; return the decisions it will be.

        Raises Full, and nothing is meant then, where the disk takes it only as ``urgent``.
        """
        links: list[Link] = []
        previous = self._last()
        for record in records:
            line = line_of(record, self._place, epoch=epoch, previous=previous, wall=wall)
            previous = link_of(line, previous)
            links.append(previous)
        # Lines that are not recorded yet stay in the newest entry: only that one is read again.
        lines = [*self._pending, *(link.line for link in links)]
        for record in records:
            if record.evidence is not None:
                self._evidence[record.evidence.digest()] = record.evidence
        self._write_evidence()
        self._points("before the log")
        self._wal.append(self._entry(state, handled, lines), urgent=urgent)
        self._points("after the log")
        self.state, self.handled, self._pending = state, handled, lines
        return tuple(links)

    def remember(self, state: State) -> None:
        """Go on with a state that differs in what was counted alone; the log need not have it."""
        self.state = state

    def record(self) -> tuple[Link, ...]:
        """Add to the journal what was committed and done since; return the new decisions."""
        added = []
        for line in self._pending:
            self._points("before the journal")
            added.append(self._journal.append(line))
            self._points("after the journal")
        self._pending = []
        self._journal.flush()
        self._write_evidence()
        if len(self._wal.entries) > _COMPACT_ABOVE and not self._journal.unwritten:
            self._compact()
        return tuple(added)

    def close(self) -> None:
        """Close the log."""
        self._wal.close()

    def _last(self) -> Link | None:
        last = self._journal.last
        for line in self._pending:
            last = link_of(line, last)
        return last

    def _recover(self) -> None:
        """Take the newest state on, and give the journal the lines that it lacks."""
        if not self._wal.entries:
            # Killed while the branch's chain was taken on, or a log that somebody removed.
            self.state = state_after(self._journal.links)
            return
        newest = self._wal.entries[-1]
        self.state = restarted(State.model_validate(newest["state"]))
        self.handled = Handled.from_json(newest["handled"])
        # Oldest first: a full disk may have kept several entries' lines out of the journal.
        known = len(self._journal.links)
        previous = self._journal.last
        for entry in self._wal.entries:
            for text in entry["lines"]:
                line = text.encode()
                if _seq_of(text) == known + 1:
                    previous = link_of(line, previous)
                    self._pending.append(line)
                    known += 1
        self.record()
        if not self._journal.unwritten:
            self._compact()

    def _compact(self) -> None:
        self._points("before the log is made shorter")
        self._wal.compact([self._entry(self.state, self.handled, self._pending)])
        self._points("after the log is made shorter")

    def _entry(self, state: State, handled: Handled, lines: Sequence[bytes]) -> dict[str, Any]:
        return {
            "state": state.model_dump(mode="json"),
            "handled": handled.to_json(),
            "lines": [line.decode() for line in lines],
        }

    def _write_evidence(self) -> None:
        for digest, document in list(self._evidence.items()):
            try:
                write_atomically(self._folder / EVIDENCE / f"{digest}.json", document.to_json())
            except OutsideError:
                return
            del self._evidence[digest]


def _seq_of(line: str) -> int:
    return int(json.loads(line)["seq"])
