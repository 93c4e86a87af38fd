"""A router of one's own, with a real Envoy and real scoring servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import OutsideError
from assay.rollout.trial import Trial
from support.models import probe_model
from support.serving import ask, local_target


def test_the_version_that_is_switched_to_answers_and_one_that_never_gets_ready_is_named(
    tmp_path: Path,
) -> None:
    first, second, bad = (probe_model(tmp_path / name, name) for name in ("one", "two", "bad"))
    (bad.folder / "model" / "MLmodel").write_text("{}")
    target = local_target(tmp_path / "target")
    try:
        trial = Trial(target, start_seconds=120)
        trial.start(first, second)
        for release in (first, second, first):
            trial.switch(release.digest)
            assert ask(target).version == release.digest
        with pytest.raises(OutsideError, match="does not answer its health check within 3 s"):
            Trial(target, start_seconds=3).start(bad)
    finally:
        target.close()
