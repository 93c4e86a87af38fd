"""A host that knows nothing begins where the branch's chain ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assay.rollout.controller.chain import Place, seen_intents
from assay.rollout.controller.store import Handled, Store
from assay.state import Signed, read_chain, read_intents

if TYPE_CHECKING:
    from assay.rollout.controller.service import Branches


def adopt(store: Store, branches: Branches | None, place: Place) -> bool:
    """Take on the chain of ``assay/journal`` where this host never had a decision.

    Say whether there was one. Raises OutsideError where the remote is away: a chain begun without
    looking could only diverge.
    """
    if branches is None or not store.knows_nothing():
        return False
    links = read_chain(branches.journal, place.target, place.model)
    if not links:
        return False
    intents = read_intents(branches.desired, place.target, place.model)
    seen = seen_intents(links)
    decided = [one.generation for one in intents if _id_of(one) in seen]
    store.adopt(links, Handled(upto=max(decided, default=0)))
    return True


def _id_of(signed: Signed) -> str | None:
    try:
        found = json.loads(signed.content)
        return str(found["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
