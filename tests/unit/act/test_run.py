"""What ``assay act`` refuses before it installs or starts anything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from assay.act.run import Trigger, run_workflow
from assay.act.site import Settings
from assay.errors import InputError


def test_a_workflow_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    """Installing act takes minutes, and an empty cache would show here as a new folder."""
    consumer, cache = tmp_path / "consumer", tmp_path / "cache"
    workflows = consumer / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "pull-request.yml").touch()
    subprocess.run(["git", "init", "--quiet", consumer], check=True)
    environ = {**os.environ, "XDG_CACHE_HOME": str(cache), "ASSAY_CACHE": str(cache)}
    settings = Settings(repository=consumer, environ=environ, scratch=tmp_path / "scratch")
    with pytest.raises(InputError, match="Did you mean 'pull-request"):
        run_workflow("pullrequest.yml", settings, Trigger())
    assert not cache.exists()
    assert not (tmp_path / "scratch").exists()
