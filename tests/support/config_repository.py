"""A configuration repository on a real bare remote, and targets that commit to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import yaml

from assay.git import Finished, run_process
from assay.rollout.target import Observation
from assay.rollout.targets.gitops import MARKER, GitOps
from assay.state import Remote, open_folder
from support.clusters import CANARY, STABLE, release, route, site
from support.repositories import Origin

HERE = "assay/production/churn"


class Bench(Origin):
    """A configuration repository that others write too, and targets that commit to it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        theirs = {"apps/web.yaml": "kind: Web\n", "assay/README.md": "ours and theirs"}
        super().__init__(folder, theirs)
        self.pauses: list[float] = []
        self.now = 0.0
        self._stack = stack

    def target(
        self,
        *,
        branch: str = "main",
        run: Callable[..., Finished] = run_process,
        watch: Callable[[], Observation] | None = None,
        name: str = "production",
    ) -> GitOps:
        remote = Remote(address=str(self.bare), environment=self.environment)
        path = HERE.replace("production", name)
        folder = self._stack.enter_context(open_folder(remote, branch, path, MARKER))
        folder = replace(
            folder, sleep=self.pauses.append, jitter=lambda: 1.0,
            branch=replace(folder.branch, run=run),
        )  # fmt: skip
        return GitOps(site(target=name), folder, watch=watch, clock=lambda: self.now)

    def file(self, path: str) -> str:
        return self.git("show", f"main:{path}")

    def log(self) -> list[str]:
        return self.git("log", "--format=%s", "main").splitlines()

    def message(self) -> str:
        return self.git("log", "-1", "--format=%B", "main")

    def files(self, folder: str = HERE) -> set[str]:
        listed = self.git("ls-tree", "-r", "--name-only", "main", f"{folder}/").splitlines()
        return {path.removeprefix(f"{folder}/") for path in listed}

    def weights(self) -> dict[str, int]:
        found = yaml.safe_load(self.file(f"{HERE}/route.yaml"))
        (rule,) = found["spec"]["rules"]
        return {each["name"].rpartition("-")[2]: each["weight"] for each in rule["backendRefs"]}

    def theirs(self, files: Mapping[str, str], message: str = "theirs") -> None:
        self.source.git("fetch", "--quiet", str(self.bare), "main")
        self.source.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        self.source.commit(dict(files), message=message)
        self.source.git("push", "--quiet", str(self.bare), "HEAD:main")


def serving(bench: Bench) -> GitOps:
    """A target whose stable version serves, with the other one started."""
    target = bench.target()
    target.start(release(STABLE))
    target.route(route(1, 0))
    target.start(release(CANARY))
    return target
