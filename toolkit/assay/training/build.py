"""Build the consumer's environment: found or named, keyed by its lock, kept between runs."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.config import Environment, Model
from assay.errors import InputError, Location, OutsideError
from assay.training.container import build_image
from assay.training.environment import ConsumerEnvironment
from assay.training.plan import ENVIRONMENT_FILES
from assay.training.process import Redactor, Transcript, run_streamed

_BUILD_SECONDS = 3600.0
_CONDA = ("micromamba", "mamba", "conda")
_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]\s*(\S+)", re.MULTILINE)
_LOCAL = re.compile(r"^\s*(?:-e\b|--editable\b|\.{1,2}(?:/|\s|$)|file:)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Builds environments below ``cache``.

    ``root`` is the repository's work tree, ``mounts`` what a container sees beside it,
    ``variables`` the consumer's process variables and ``inside`` those that a container gets.
    ``uv`` is the program; ``python`` the version where the configuration names none;
    ``dvc_lock`` a hashed requirements file for consumers whose own environment has no DVC, and
    ``kfp_lock`` the one of the SDK of Kubeflow Pipelines.
    """

    root: Path
    cache: Path
    variables: Mapping[str, str]
    inside: tuple[str, ...] = ()
    mounts: tuple[Path, ...] = ()
    redact: Redactor = field(default_factory=Redactor)
    uv: str = "uv"
    python: str | None = None
    dvc_lock: Path | None = None
    kfp_lock: Path | None = None

    def build(self, model: Model, folder: Path, transcript: Transcript) -> ConsumerEnvironment:
        """Return the environment of ``model``, whose folder is ``folder``, ready to run in.

        Raises InputError where the configuration names a file that is not there, and
        OutsideError where it cannot be built.
        """
        chosen = self._chosen(model, folder)
        bare = self.bare("none")
        if chosen is None:
            return self._with_version(bare, folder)
        kind, file, python = chosen
        if kind in {"dockerfile", "image"}:
            container, digest = build_image(
                kind, file, root=self.root, variables=self.variables, transcript=transcript
            )
            container = replace(container, mounts=(*container.mounts, *self.mounts))
            built = replace(bare, kind=kind, container=container, digest=digest)
        elif kind == "conda":
            built = self._conda(bare, Path(file), transcript)
        else:
            built = self._venv(bare, kind, Path(file), python, transcript)
        return self._with_version(built, folder)

    def bare(self, kind: str) -> ConsumerEnvironment:
        """Return the environment of the machine itself, called ``kind``; nothing is built."""
        return ConsumerEnvironment(
            kind=kind, variables=self.variables, inside=self.inside, redact=self.redact
        )

    def with_dvc(
        self, environment: ConsumerEnvironment, transcript: Transcript
    ) -> ConsumerEnvironment:
        """Return ``environment`` with a ``dvc`` on its PATH; the log says where it is Assay's.

        Raises OutsideError where there is none to be had.
        """
        if environment.container is not None or environment.find("dvc"):
            return environment
        if self.dvc_lock is None:
            raise OutsideError("the environment has no dvc.", remedy="Add dvc to its requirements.")
        programs = self.locked(self.dvc_lock, transcript)
        only = programs.parent / "only-dvc"
        only.mkdir(exist_ok=True)
        link = only / "dvc"
        if not link.is_symlink():
            link.symlink_to(programs / "dvc")
        transcript.say("The environment has no dvc: Assay's own pinned one is used.")
        return replace(environment, last=(*environment.last, only))

    def locked(self, lock: Path, transcript: Transcript) -> Path:
        """Return the folder of programs of an environment of its own, made from a hashed lock.

        Raises OutsideError where it cannot be built.
        """
        return self._venv(self.bare("none"), "requirements", lock, None, transcript).path[0]

    def _chosen(self, model: Model, folder: Path) -> tuple[str, str, str | None] | None:
        """Return kind, file (or image) and Python version; None for the Python on PATH."""
        wanted = model.environment
        if wanted == "none":
            return None
        if isinstance(wanted, Environment):
            return self._named(wanted, folder)
        for place in dict.fromkeys((folder, self.root)):
            for name in ENVIRONMENT_FILES:
                if (place / name).is_file():
                    kind = _KINDS[name]
                    return kind, str(place / name), self.python
        return None

    def _named(self, wanted: Environment, folder: Path) -> tuple[str, str, str | None]:
        if wanted.image:
            return "image", wanted.image, None
        files = {
            "requirements": wanted.requirements,
            "conda": wanted.conda,
            "dockerfile": wanted.dockerfile,
            "uv": "uv.lock" if wanted.uv else None,
            "pyproject": "pyproject.toml" if wanted.pyproject else None,
        }
        kind, name = next((kind, name) for kind, name in files.items() if name)
        for place in (folder, self.root):
            if (place / name).is_file():
                return kind, str(place / name), wanted.python or self.python
        raise InputError(
            f"environment.{kind} needs this file, and it is not there.",
            where=Location(file=name),
            remedy="Commit it, or name another kind of environment.",
        )

    def _venv(
        self,
        bare: ConsumerEnvironment,
        kind: str,
        file: Path,
        python: str | None,
        transcript: Transcript,
    ) -> ConsumerEnvironment:
        digest = lock_digest(file)
        key = _key(digest, kind, python, file)
        place = self.cache / key
        with _whole(place, kind) as missing:
            if missing:
                self._run_uv(_venv_steps(self.uv, kind, file, place, python), file, transcript)
        return replace(bare, kind=kind, digest=digest, path=(place / "bin",))

    def _run_uv(self, steps: list[list[str]], file: Path, transcript: Transcript) -> None:
        variables = {**self.variables, "UV_NO_PROGRESS": "1"}
        for step in steps:
            environment = {**variables, "UV_PROJECT_ENVIRONMENT": step[0]}
            with transcript.foreign(f"environment from {file.name}: uv {step[2]}") as write:
                ended = run_streamed(
                    step[1:], cwd=file.parent, variables=environment, timeout=_BUILD_SECONDS,
                    write=write,
                )  # fmt: skip
            if not ended.succeeded:
                raise OutsideError(
                    f"{self.redact(ended.why('the environment', _BUILD_SECONDS))}.",
                    where=Location(file=file.name),
                    remedy="`uv` says above what could not be installed.",
                )

    def _conda(
        self, bare: ConsumerEnvironment, file: Path, transcript: Transcript
    ) -> ConsumerEnvironment:
        path = self.variables.get("PATH")
        tool = next((found for one in _CONDA if (found := shutil.which(one, path=path))), None)
        if tool is None:
            raise OutsideError(
                "environment.conda needs micromamba, mamba or conda on PATH, and there is none.",
                where=Location(file=file.name),
                remedy="Install micromamba on the runner, or run inside an image.",
            )
        digest = lock_digest(file)
        place = self.cache / _key(digest, "conda", None, file)
        create = ["create", "--yes"] if Path(tool).name == "micromamba" else ["env", "create"]
        with _whole(place, "conda") as missing:
            if missing:
                arguments = [tool, *create, "--prefix", str(place), "--file", str(file)]
                self._run_uv([[str(place), *arguments]], file, transcript)
        live = [] if Path(tool).name == "micromamba" else ["--no-capture-output"]
        prefix = (tool, "run", *live, "--prefix", str(place))
        return replace(bare, kind="conda", digest=digest, prefix=prefix, path=(place / "bin",))

    def _with_version(self, made: ConsumerEnvironment, folder: Path) -> ConsumerEnvironment:
        if made.container is not None:
            return made
        python = made.find("python") or made.find("python3")
        if python is None:
            return made
        lines: list[str] = []
        run_streamed(
            [python, "-I", "-c", "import platform; print(platform.python_version())"],
            cwd=folder, variables=self.variables, timeout=60, write=lines.append,
        )  # fmt: skip
        return replace(made, python=lines[-1] if lines else None)


_KINDS = {
    "uv.lock": "uv",
    "requirements.txt": "requirements",
    "pyproject.toml": "pyproject",
    "environment.yml": "conda",
}


def _venv_steps(uv: str, kind: str, file: Path, place: Path, python: str | None) -> list[list[str]]:
    """Return the uv commands that fill ``place``, each after the environment's folder."""
    version = ["--python", python] if python else []
    if kind == "uv":
        return [[str(place), uv, "sync", "--quiet", "--locked", *version]]
    make = ["venv", "--quiet", "--allow-existing", "--no-project", *version, str(place)]
    into = ["--quiet", "--python", str(place / "bin" / "python")]
    if kind == "pyproject":
        fill = ["install", *into, "--editable", str(file.parent)]
    elif _is_hashed(file):
        fill = ["sync", *into, "--require-hashes", str(file)]
    else:
        fill = ["install", *into, "--requirement", str(file)]
    return [[str(place), uv, *make], [str(place), uv, "pip", *fill]]


def _is_hashed(file: Path) -> bool:
    """A file with hashes names everything there is to install: nothing has to be resolved."""
    text = file.read_text(errors="replace")
    return "--hash=" in text and not _INCLUDE.search(text)


def lock_digest(file: Path) -> str:
    """Return the SHA-256 of a lock and of the requirement files it includes, in hex."""
    seen: dict[Path, bytes] = {}
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        try:
            seen[path] = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"cannot be read: {error.strerror}.", where=Location(file=path.name)
            ) from None
        if path.suffix == ".txt":
            found = _INCLUDE.findall(seen[path].decode(errors="replace"))
            waiting += [path.parent / name for name in found]
    if len(seen) == 1:
        return hashlib.sha256(seen[file]).hexdigest()
    parts = sorted(hashlib.sha256(content).hexdigest() for content in seen.values())
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _key(digest: str, kind: str, python: str | None, file: Path) -> str:
    """Name an environment; one that links to its project is that project's alone."""
    linked = kind in {"uv", "pyproject"} or _LOCAL.search(file.read_text(errors="replace"))
    place = str(file.parent.resolve()) if linked else ""
    version = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    text = "\n".join((digest, kind, version, platform.platform(), place))
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


@contextmanager
def _whole(place: Path, kind: str) -> Iterator[bool]:
    """Hold the lock of an environment; yields whether it is still to be built.

    A build that was interrupted leaves no mark, and the next one starts again. What links to a
    project is brought up to date each time.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = place.with_suffix(".lock").open("w")
    except OSError as error:
        raise OutsideError(
            f"cannot be written: {error.strerror}.",
            where=Location(file=place.parent.as_posix()),
            remedy="Name another folder with --environment-cache.",
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = place / ".assay-complete"
        missing = kind == "uv" or not mark.is_file()
        if missing:
            mark.unlink(missing_ok=True)
        yield missing
        mark.touch()
