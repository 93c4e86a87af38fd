"""Data that DVC tracks, as a commit names it: which objects of the DVC remote hold it.

Read from the commit's own text files. The job that decides holds a token that writes, so nothing of
the repository is run there, nor DVC, which would load its configuration and fetch all of the data.
"""

from __future__ import annotations

import configparser
import json
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from assay.errors import InputError, IntegrityError, Location

SCHEME = "dvc:"
ReadText = Callable[[str], str | None]
"""The text of a file by its path from the repository's root; None: there is none."""
_OPTIONS = {"endpointurl": "endpoint_url", "region": "region", "profile": "profile"}
_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A file or folder that DVC tracks: its path, and where its object lies below the remote."""

    path: str
    object: str

    @property
    def is_folder(self) -> bool:
        """Whether the object lists the files of a folder."""
        return self.object.endswith(".dir")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """The default DVC remote: its address, and the settings that S3's API knows of it."""

    address: str
    options: dict[str, str] = field(default_factory=dict)


def find_tracked(read: ReadText, folder: str, path: str) -> Tracked:
    """Find ``path``, which counts from ``folder``, in its .dvc file or in a dvc.lock above it.

    Raises InputError where DVC does not track it, or names no MD5 of it.
    """
    wanted = posixpath.normpath(posixpath.join(folder, path))
    where = Location(file=wanted)
    for file, at in _candidates(wanted):
        text = read(file)
        for out in _outputs(text, file) if text is not None else ():
            name = posixpath.normpath(posixpath.join(at, str(out.get("path"))))
            digest = str(out.get("md5") or "")
            if name != wanted or len(digest) < 32 or not _DIGITS.issuperset(digest[:32]):
                continue
            # Up to DVC 2 objects lay at the remote's top, and no `hash` was written.
            above = "files/md5/" if out.get("hash") == "md5" else ""
            return Tracked(path=wanted, object=f"{above}{digest[:2]}/{digest[2:]}")
    raise InputError(
        "DVC does not track this, or not by its MD5.",
        where=where,
        remedy="Name what has a .dvc file or is an output in dvc.lock, from assay.yaml's folder.",
    )


def find_remote(read: ReadText, folder: str) -> Remote:
    """Find the default remote in the .dvc/config of ``folder`` or of one above it.

    Raises InputError where there is none.
    """
    for place in _upwards(folder):
        own = posixpath.join(place, ".dvc")
        texts = [read(posixpath.join(own, name)) for name in ("config", "config.local")]
        if texts[0] is None:
            continue
        settings = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
        try:
            for text in texts:
                settings.read_string(text or "")
        except configparser.Error:
            break
        name = settings.get("core", "remote", fallback=None)
        section = f"'remote \"{name}\"'"
        url = settings.get(section, "url", fallback=None)
        if not url:
            break
        options = {
            ours: value
            for theirs, ours in _OPTIONS.items()
            if (value := settings.get(section, theirs, fallback=None))
        }
        relative = "://" not in url and not url.startswith("/")
        return Remote(
            address=posixpath.normpath(posixpath.join(own, url)) if relative else url,
            options=options,
        )
    raise InputError(
        "there is no default DVC remote.",
        where=Location(file=posixpath.join(folder, ".dvc/config")),
        remedy="dvc remote add --default NAME s3://BUCKET/FOLDER, and commit .dvc/config.",
    )


def objects_in(listing: bytes, tracked: Tracked) -> tuple[tuple[str, str], ...]:
    """Return the objects of a folder's listing, each with the path of its file in the folder.

    Raises IntegrityError for what is no listing of DVC.
    """
    above = tracked.object.rpartition("/")[0].rpartition("/")[0]
    try:
        found = [(str(one["md5"]), str(one["relpath"])) for one in json.loads(listing)]
    except (ValueError, TypeError, KeyError, RecursionError):
        found = [("", "")]
    if not all(len(md5) == 32 and _DIGITS.issuperset(md5) for md5, _ in found):
        raise IntegrityError(
            "this is no listing of a folder as DVC writes it.", where=Location(file=tracked.object)
        )
    return tuple((posixpath.join(above, md5[:2], md5[2:]), relpath) for md5, relpath in found)


def _candidates(path: str) -> Iterator[tuple[str, str]]:
    """Files that may say what ``path`` is, and the folder that their paths count from."""
    yield f"{path}.dvc", posixpath.dirname(path)
    for place in _upwards(posixpath.dirname(path)):
        yield posixpath.join(place, "dvc.lock"), place


def _upwards(folder: str) -> Iterator[str]:
    place = posixpath.normpath(folder) if folder else ""
    while place not in ("", ".", "/"):
        yield place
        place = posixpath.dirname(place)
    yield ""


def _outputs(text: str, file: str) -> list[dict[str, Any]]:
    """The outputs of a .dvc file, or of all stages of a dvc.lock."""
    try:
        data = yaml.safe_load(text)
        stages = [data, *(data.get("stages") or {}).values()]
        return [out for stage in stages for out in stage.get("outs") or () if isinstance(out, dict)]
    except (yaml.YAMLError, ValueError, AttributeError, TypeError, RecursionError):
        raise InputError(
            "this is no file that DVC wrote.",
            where=Location(file=file),
            remedy="Write it again: dvc add, or dvc repro.",
        ) from None
