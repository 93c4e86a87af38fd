"""A container image of a bundle: a Dockerfile rendered from it, and a build where an engine is.

Layers go from what changes least to what changes most: base, packages, server, bundle. Each is
pinned: the base by digest, the packages by a hashed lock, server and bundle by their own bytes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from assay.errors import InputError, Location, OutsideError
from assay.packaging.bundle import Bundle
from assay.packaging.model_directory import plain_files
from assay.packaging.requirements import packages_of

USER = 10001
PORT = 8080
DOCKERFILE = "Dockerfile"
_BUNDLE, _SERVER, _LOCK = "bundle", "serving", "requirements.txt"
_PINNED = re.compile(r"^(?:[^\s@\"'\\$]+@sha256:[0-9a-f]{64}|(?:sha256:)?[0-9a-f]{64})$")
_TAG = re.compile(r"^[a-z0-9][a-zA-Z0-9._/:-]{0,254}$")
_BUILD_SECONDS = 3600
_LINES_SHOWN = 5
_START = "import sys; sys.path.insert(0, '/opt/assay'); from serving.server import main; main()"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an image is made of beside the bundle.

    ``base`` is an image with Python and pip, by digest. ``lock`` is a requirements file with
    hashes that holds all that the model and the server import; ``needs`` is what the server does.
    ``server`` is the folder of the scoring server's own files.
    """

    base: str
    lock: Path
    server: Path
    needs: tuple[str, ...]


def dockerfile(bundle: Bundle, base: str) -> str:
    """Return the Dockerfile of a bundle; pure. Raises InputError where the base is not pinned."""
    if not _PINNED.fullmatch(base):
        raise InputError(
            f"the base image {base[:120]!r} is not named by digest.",
            remedy="Write name@sha256:<64 hex digits>: a tag can come to mean another image.",
        )
    lines = [
        f"FROM {base}",
        "WORKDIR /opt/assay",
        f"COPY {_LOCK} /opt/assay/{_LOCK}",
        "RUN "
        + json.dumps(
            ["python", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check",
             "--no-deps", "--require-hashes", "-r", f"/opt/assay/{_LOCK}"]
        ),
        f"COPY {_SERVER} /opt/assay/serving",
        f"COPY {_BUNDLE} /bundle",
        f"ENV ASSAY_BUNDLE=/bundle ASSAY_ARTIFACT_DIGEST={bundle.digest()} ASSAY_PORT={PORT}",
        *(
            f"LABEL {json.dumps(name)}={json.dumps(value)}"
            for name, value in labels(bundle, base).items()
        ),
        f"USER {USER}:{USER}",
        f"EXPOSE {PORT}",
        "ENTRYPOINT " + json.dumps(["python", "-I", "-c", _START]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def labels(bundle: Bundle, base: str) -> Mapping[str, str]:
    """Return the image's labels: OCI's own names, and the lineage by digest."""
    name, _, digest = base.rpartition("@")
    return {
        "org.opencontainers.image.title": bundle.model,
        "org.opencontainers.image.revision": bundle.commit,
        "org.opencontainers.image.source": f"https://github.com/{bundle.repository}",
        "org.opencontainers.image.version": bundle.tree,
        "org.opencontainers.image.base.digest": digest,
        **({"org.opencontainers.image.base.name": name} if name else {}),
        "ml.assay.artifact-digest": bundle.digest(),
        "ml.assay.model-digest": bundle.model_digest,
        "ml.assay.data-digest": bundle.data_digest,
        "ml.assay.params-digest": bundle.params_digest,
        "ml.assay.evidence-digest": bundle.evidence_digest,
        "ml.assay.verdict": bundle.verdict.state.value,
        "ml.assay.verdict-digest": bundle.verdict.sha256,
    }


def write_context(bundle: Bundle, folder: Path, recipe: Recipe, context: Path) -> Path:
    """Write what an engine builds from into the new folder ``context``; return it.

    ``folder`` is the signed bundle. Raises InputError where base or lock do not pin, where the
    lock lacks what the server imports, and where ``context`` exists.
    """
    rendered = dockerfile(bundle, recipe.base)
    lock = _checked_lock(recipe)
    if context.exists():
        raise InputError(
            "there is something already.",
            where=Location(file=context.as_posix()),
            remedy="Remove it, or name another folder with --image-context.",
        )
    _copy(plain_files(folder), folder, context / _BUNDLE)
    scripts = (name for name in plain_files(recipe.server) if name.endswith(".py"))
    _copy(scripts, recipe.server, context / _SERVER)
    (context / _LOCK).write_text(lock, encoding="utf-8")
    (context / DOCKERFILE).write_text(rendered, encoding="utf-8")
    for path in (context, *context.rglob("*")):
        # Whoever runs the image reads it; and one moment for all keeps layers the same.
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (0, 0))
    return context


def build(context: Path, tag: str) -> str:
    """Build the image with the engine that ``docker`` talks to; return the image's id.

    Raises InputError for a tag that is none, OutsideError where there is no engine or it fails.
    """
    if not _TAG.fullmatch(tag):
        raise InputError(f"{tag[:80]!r} is no image name.", remedy="Write name:tag.")
    program = docker_program(f"build {context.as_posix()} where there is an engine")
    buildx = _runs([program, "buildx", "version"])
    building = [program, "buildx", "build", "--load"] if buildx else [program, "build"]
    moment = ["--build-arg", "SOURCE_DATE_EPOCH=0"] if buildx else []
    done = subprocess.run(
        [*building, *moment, "--quiet", "--tag", tag, str(context)],
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise OutsideError(
            f"the image was not built: {' / '.join(said[-_LINES_SHOWN:])[:600]}",
            remedy=f"Build it by hand to see more: docker build {context.as_posix()}",
        )
    return done.stdout.strip().splitlines()[-1]


def docker_program(instead: str = "run this where there is an engine") -> str:
    """Return the path of ``docker``; raises OutsideError where there is none."""
    program = shutil.which("docker")
    if program is None:
        raise OutsideError("there is no docker program.", remedy=f"Install one, or {instead}.")
    return program


def _runs(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _copy(names: Iterable[str], source: Path, target: Path) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)


def _checked_lock(recipe: Recipe) -> str:
    where = Location(file=recipe.lock.as_posix())
    command = (
        f"uv pip compile --generate-hashes bundle/model/{_LOCK} - <<< '"
        + " ".join(recipe.needs)
        + "'"
    )
    try:
        text = recipe.lock.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError("the lock cannot be read.", where=where, remedy=command) from None
    found = packages_of(text, file=recipe.lock.as_posix(), python=None)
    unpinned = [one.name for one in found if one.version is None or not one.sha256]
    if unpinned:
        raise InputError(
            f"the lock does not pin {', '.join(unpinned[:5])} by version and hash.",
            where=where,
            remedy=f"Write one with {command}",
        )
    lacking = {canonicalize_name(name) for name in recipe.needs} - {one.name for one in found}
    if lacking:
        raise InputError(
            f"the lock lacks what the server imports: {', '.join(sorted(lacking))}.",
            where=where,
            remedy=f"Write one with {command}",
        )
    return text
