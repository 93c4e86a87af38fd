"""A bundle's image in a container registry: one for each version, named by digest once it is there.

The tag is the artifact digest. Which bytes a tag means can change; the manifest's digest, which the
registry answers a push with, cannot.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from assay.errors import InputError, OutsideError
from assay.packaging.image import docker_program

ARTIFACT_LABEL = "ml.assay.artifact-digest"
_NAME = re.compile(r"^(?P<host>localhost|[a-z0-9.-]*[.:][a-z0-9.:-]*)/[a-z0-9][a-z0-9._/-]{0,200}$")
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_SECONDS = 3600
_LINES_SHOWN = 4
_HUB = "docker.io/"


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who pushes."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ImageRegistry:
    """One repository of a registry, through the engine that ``docker`` talks to.

    ``name`` is registry/name, without a tag; ``environment`` holds no credentials but those that
    :func:`logged_in` put there.
    """

    name: str
    environment: Mapping[str, str] = field(repr=False)

    def reference(self, artifact_digest: str) -> str:
        """Return the tagged name of a version's image."""
        return f"{self.name}:{artifact_digest}"

    def existing(self, artifact_digest: str) -> str | None:
        """Return the digest of the image that the registry has of a version, or None.

        Raises InputError where an image of another version lies under this one's tag.
        """
        reference = self.reference(artifact_digest)
        if self._docker("pull", "--quiet", reference).returncode != 0:
            return None
        found = self._inspected(reference)
        labels = (found.get("Config") or {}).get("Labels") or {}
        if labels.get(ARTIFACT_LABEL) != artifact_digest:
            raise InputError(
                f"{reference[:200]} holds another version's image, or none of Assay's.",
                remedy="Find out who pushed it, remove it from the registry, and run this again.",
            )
        return self._digest(reference, found)

    def push(self, image: str, artifact_digest: str) -> str:
        """Push a built image under the version's tag; return the digest the registry has it by.

        Raises OutsideError where the registry does not take it.
        """
        reference = self.reference(artifact_digest)
        self._demand("tag", image, reference)
        self._demand("push", "--quiet", reference)
        return self._digest(reference, self._inspected(reference))

    def _digest(self, reference: str, found: Mapping[str, Any]) -> str:
        listed = found.get("RepoDigests")
        for each in listed if isinstance(listed, list) else ():
            name, _, digest = str(each).partition("@")
            if name in (self.name, self.name.removeprefix(_HUB)) and _DIGEST.fullmatch(digest):
                return digest
        raise OutsideError(
            f"the engine does not say by which digest the registry has {reference[:200]}.",
            remedy="Look at it with: docker image inspect --format '{{.RepoDigests}}'",
        )

    def _inspected(self, reference: str) -> Mapping[str, Any]:
        found = json.loads(self._demand("image", "inspect", reference))
        one = found[0] if isinstance(found, list) and found else {}
        return one if isinstance(one, dict) else {}

    def _demand(self, *words: str) -> str:
        done = self._docker(*words)
        if done.returncode != 0:
            raise OutsideError(
                f"docker {words[0]} failed: {_last_words(done.stderr)}",
                remedy=f"See that {self.name[:200]} can be reached and that the credentials may "
                "write it.",
            )
        return done.stdout

    def _docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        return _run([docker_program(), *words], self.environment)


def checked_name(name: str, model: str) -> str:
    """Return registry/name with ``{model}`` filled in; raises InputError where it is none."""
    found = name.replace("{model}", model)
    if not _NAME.fullmatch(found) or "//" in found or found.endswith("/"):
        raise InputError(
            f"{name[:120]!r} is no image name of a registry.",
            remedy="Write registry/name without a tag, as in ghcr.io/octo/churn; {model} is "
            "replaced by the model's name.",
        )
    return found


@contextmanager
def logged_in(
    name: str, login: Login | None, environ: Mapping[str, str]
) -> Iterator[ImageRegistry]:
    """Give the registry, with ``login`` in a file that is removed at the end.

    Raises OutsideError where the registry does not take the login.
    """
    with tempfile.TemporaryDirectory(
        prefix="assay-docker-", dir=environ.get("RUNNER_TEMP")
    ) as folder:
        environment = {**environ, "DOCKER_CONFIG": folder} if login else dict(environ)
        if login is not None:
            _log_in(name.partition("/")[0], login, environment)
        yield ImageRegistry(name=name, environment=environment)


def _log_in(host: str, login: Login, environment: Mapping[str, str]) -> None:
    words = [docker_program(), "login", "--username", login.username, "--password-stdin", host]
    done = _run(words, environment, stdin=login.password)
    if done.returncode != 0:
        said = _last_words(done.stderr).replace(login.password, "***")
        raise OutsideError(
            f"{host} does not take the login of {login.username[:80]!r}: {said}",
            remedy="Look at the secret image_registry: USERNAME=… and PASSWORD=….",
        )


def _run(
    words: list[str], environment: Mapping[str, str], *, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words,
            input=stdin or "",
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OutsideError(f"docker {words[1]} did not end within {_SECONDS} s.") from None


def _last_words(stderr: str) -> str:
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    return " / ".join(said[-_LINES_SHOWN:])[:600] or "it said nothing"
