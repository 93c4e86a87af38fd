"""``assay act``, as a person types it in a consumer's clone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .gating import WORSE, assay, make_toy

pytestmark = [pytest.mark.act, pytest.mark.timeout(600)]


def test_the_command_gates_the_working_tree_and_says_where_everything_is(tmp_path: Path) -> None:
    consumer = make_toy(tmp_path / "consumer")
    (consumer.root / "skill.txt").write_text(WORSE)
    kept = tmp_path / "kept"
    done = assay("act", "--keep", str(kept), cwd=consumer.root)
    assert done.returncode == 1, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "Accuracy is worse: 0.800 to 0.700" in said
    (comment,) = kept.glob("comment-*.md")
    assert comment.read_text().startswith("### Assay: fail\n")
    assert f"comment by github-actions[bot]: {comment}" in said
    (evidence,) = re.findall(r"artifact assay-gate-[0-9a-f]{40}: (\S+\.zip)", said)
    assert Path(evidence).is_file()
    assert consumer.git("status", "--porcelain") == "M skill.txt"
