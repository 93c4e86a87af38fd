"""DVC as the consumer has it: is there a remote, fetch from it, and did a run run anything."""

from __future__ import annotations

import configparser
import os
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from assay.training.environment import ConsumerEnvironment
from assay.training.process import Ended, Transcript
from assay.training.remote import ATTEMPTS, advice, cause, label

PULL_SECONDS = 3600.0
_RAN = re.compile(r"^Running (?:stage|callback) '")
_SKIPPED = re.compile(r"^Stage '.*' (?:didn't change, skipping|is cached - skipping run)")


@dataclass(frozen=True, kw_only=True)
class Repo:
    """The folder whose ``.dvc`` governs a model, and the default remote's name and address."""

    folder: Path
    remote: str | None
    url: str | None = None

    @property
    def cache(self) -> Path:
        """The cache folder, as the configuration names it or ``.dvc/cache``."""
        settings = _settings(self.folder)
        named = settings.get("cache", "dir", fallback=None)
        # DVC takes a relative folder as relative to the configuration's.
        return (self.folder / ".dvc" / named).resolve() if named else self.folder / ".dvc/cache"


def find_repo(folder: Path, root: Path) -> Repo | None:
    """Return the nearest DVC repository from ``folder`` up to ``root``."""
    for place in (folder, *folder.parents):
        if (place / ".dvc").is_dir():
            settings = _settings(place)
            remote = settings.get("core", "remote", fallback=None)
            url = settings.get(f"'remote \"{remote}\"'", "url", fallback=None)
            return Repo(folder=place, remote=remote, url=url)
        if place == root:
            break
    return None


def pull(
    environment: ConsumerEnvironment,
    folder: Path,
    transcript: Transcript,
    repo: Repo,
    targets: Iterable[str] = (),
) -> str | None:
    """Fetch what ``folder`` tracks (or ``targets``) and check it out; return why it failed.

    Without targets the run cache comes along, and files the remote does not have are left for
    the pipeline to make. The reason names the remote, and what to set where it wants credentials.
    """
    named = " ".join(shlex.quote(target) for target in targets)
    what = f"-- {named}" if named else "--run-cache --allow-missing"
    ended = environment.run(
        f"dvc pull {what}",
        cwd=folder,
        timeout=PULL_SECONDS,
        transcript=transcript,
        extra={name: environment.variables.get(name, value) for name, value in ATTEMPTS.items()},
    )
    if ended.succeeded:
        return None
    source = f"`dvc pull` from {label(repo.remote or '', environment.redact(repo.url or ''))}"
    why = cause(ended.tail)
    if why is None or ended.code is None:
        return ended.why(source, PULL_SECONDS)
    remedy = advice(why, repo.url)
    return f"{source} failed: {why}" + (f" -- {remedy}" if remedy else "")


def push(environment: ConsumerEnvironment, folder: Path, transcript: Transcript) -> str | None:
    """Send what ``folder`` tracks and its run cache to the remote; return why it failed."""
    ended = environment.run(
        "dvc push --run-cache", cwd=folder, timeout=PULL_SECONDS, transcript=transcript
    )
    return None if ended.succeeded else failure(ended, "`dvc push`", PULL_SECONDS)


def checkout(
    environment: ConsumerEnvironment, folder: Path, transcript: Transcript, targets: Iterable[str]
) -> str | None:
    """Restore ``targets`` from the local cache; return why it failed."""
    named = " ".join(shlex.quote(target) for target in targets)
    ended = environment.run(
        f"dvc checkout -- {named}", cwd=folder, timeout=PULL_SECONDS, transcript=transcript
    )
    return None if ended.succeeded else failure(ended, "`dvc checkout`", PULL_SECONDS)


def tracked_digest(path: Path) -> str | None:
    """Return the digest that ``<path>.dvc`` records, None where there is none."""
    try:
        data = yaml.safe_load(Path(f"{path}.dvc").read_text(encoding="utf-8"))
        return str(data["outs"][0]["md5"])
    except (OSError, ValueError, yaml.YAMLError, KeyError, IndexError, TypeError):
        return None


def in_cache(repo: Repo, digest: str) -> bool:
    """Whether the local cache holds the file (or the listing of the folder) of this digest."""
    name = Path(digest[:2]) / digest[2:]
    return len(digest) > 2 and any(
        (repo.cache / version / name).is_file() for version in ("files/md5", ".")
    )


def failure(ended: Ended, what: str, timeout: float) -> str:
    """Return how a DVC command failed, in DVC's own words: its last ERROR line."""
    errors = [line for line in ended.tail if line.startswith("ERROR: ")]
    if not errors or ended.code is None:
        return ended.why(what, timeout)
    return f"{what} failed: {errors[-1].removeprefix('ERROR: ').strip()[:300].rstrip('.')}"


def lacked_data(tail: Iterable[str]) -> bool:
    """Whether DVC stopped because tracked data is not here and could not be fetched."""
    return any("missing data 'source'" in line for line in tail)


def was_cache_hit(tail: Iterable[str]) -> bool:
    """Whether the output of ``dvc repro`` says that every stage was skipped or restored."""
    lines = [line.strip() for line in tail]
    return any(map(_SKIPPED.match, lines)) and not any(map(_RAN.match, lines))


def link_worktree(repo: Repo, root: Path, worktree: Path, held: Callable[[Path], bool]) -> None:
    """Let a worktree of the base use this checkout's cache and local settings.

    ``.dvc/config.local`` (not committed) may name the remote's credentials; the cache saves
    fetching what is here already. Where the cache lies is for the base to say, and neither is
    used where the head's commit holds it (``held``): a run cache that a pull request brings
    along would answer for the base's pipeline.
    """
    own, beside = repo.folder / ".dvc", worktree / repo.folder.relative_to(root) / ".dvc"
    if not beside.is_dir():
        return
    local = _parser()
    if not held(own / "config.local"):
        _read(local, own / "config.local")
    _make_paths_absolute(local, own)
    named = local.get("cache", "dir", fallback=None) or _settings(beside.parent).get(
        "cache", "dir", fallback=None
    )
    # DVC takes a relative folder as relative to the configuration's.
    cache = Path(os.path.normpath(own / (named or "cache")))
    if not local.has_section("cache"):
        local.add_section("cache")
    if held(cache):
        local.remove_option("cache", "dir")
    else:
        local.set("cache", "dir", str(cache))
    with (beside / "config.local").open("w", encoding="utf-8") as stream:
        local.write(stream)


def _make_paths_absolute(settings: configparser.ConfigParser, folder: Path) -> None:
    """A relative ``url`` counts from the configuration's folder, which is another one there."""
    for section in settings.sections():
        url = settings.get(section, "url", fallback=None)
        if section.startswith("'remote") and url and "://" not in url and url[0] not in "/~$":
            settings.set(section, "url", os.path.normpath(folder / url))


def _settings(folder: Path) -> configparser.ConfigParser:
    settings = _parser()
    for name in ("config", "config.local"):
        _read(settings, folder / ".dvc" / name)
    return settings


def _parser() -> configparser.ConfigParser:
    return configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)


def _read(settings: configparser.ConfigParser, path: Path) -> None:
    """DVC itself reports a configuration that cannot be read; here it says nothing."""
    try:
        settings.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return
