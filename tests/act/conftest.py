"""A toy toolkit and a toy consumer, and the harness around them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from assay.act.harness import Harness
from assay.act.site import Settings
from support.mlflow_server import mlflow_server
from support.repositories import Sandbox

from .gating import Gated, make_toy

TOY = Path(__file__).with_name("toy")


@pytest.fixture
def consumer(tmp_path: Path) -> Sandbox:
    """The toy consumer: main, and a branch ``feature`` that adds one file."""
    sandbox = Sandbox.make(tmp_path / "consumer")
    shutil.copytree(TOY / "consumer", sandbox.root, dirs_exist_ok=True)
    sandbox.commit(message="base")
    sandbox.git("checkout", "--quiet", "-b", "feature")
    sandbox.commit({"feature.txt": "feature"}, message="feature")
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"later.txt": "main moved on"}, message="later")
    return sandbox


@pytest.fixture
def toolkit(tmp_path: Path) -> Path:
    """The toy toolkit, as a git working tree of its own."""
    sandbox = Sandbox.make(tmp_path / "toolkit")
    shutil.copytree(TOY / "toolkit", sandbox.root, dirs_exist_ok=True)
    return sandbox.root


Start = Callable[..., Harness]


@pytest.fixture
def start(tmp_path: Path, consumer: Sandbox, toolkit: Path) -> Iterator[Start]:
    """Start a harness on the toy consumer; stopped when the test ends."""
    with ExitStack() as stack:

        def begin(**settings: Any) -> Harness:
            given = {
                "repository": consumer.root,
                "environ": dict(os.environ),
                "toolkit": toolkit,
                "scratch": tmp_path / "scratch",
                "tool_cache": tmp_path / "tools",
                "slug": "octo/churn",
                "timeout": 120.0,
                **settings,
            }
            return stack.enter_context(Harness(Settings(**given)))

        yield begin


StartGated = Callable[..., Gated]


@pytest.fixture
def start_gated(tmp_path: Path) -> Iterator[StartGated]:
    """Start a harness on the toy that the shipped workflows gate; stopped when the test ends.

    ``files`` are laid over the toy; the rest are the harness's settings.
    """
    with ExitStack() as stack:

        def begin(files: dict[str, str | bytes] | None = None, **settings: Any) -> Gated:
            consumer = make_toy(tmp_path / "consumer", files)
            given = {
                "repository": consumer.root,
                "environ": dict(os.environ),
                "scratch": tmp_path / "scratch",
                "slug": "octo/toy",
                "timeout": 280.0,
                **settings,
            }
            return Gated(consumer=consumer, harness=stack.enter_context(Harness(Settings(**given))))

        yield begin


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server, for the tests of one file."""
    with mlflow_server(tmp_path_factory.mktemp("served") / "mlflow") as uri:
        yield uri
