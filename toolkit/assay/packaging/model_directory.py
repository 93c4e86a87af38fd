"""An MLflow model directory, read as text: nothing in it is loaded, imported or unpickled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from assay.errors import InputError, Location, OutsideError
from assay.evidence import tree_digest

FILE = "MLmodel"
MAX_TEXT_BYTES = 4 * 1024 * 1024
_WHAT = (
    "Write one in training, such as mlflow.sklearn.save_model(model, 'model', "
    "serialization_format='skops'), and name its folder as the model's artifact: in assay.yaml."
)


@dataclass(frozen=True, kw_only=True)
class ModelDirectory:
    """What an MLflow model says of itself."""

    folder: Path
    flavors: tuple[str, ...]
    described: dict[str, Any]
    """The document ``MLmodel``."""

    @cached_property
    def digest(self) -> str:
        """The digest that training.json names the artifact by."""
        return tree_digest(self.folder)

    @property
    def python(self) -> str | None:
        """The Python version it was made with."""
        generic = self.described["flavors"].get("python_function")
        return plain(generic.get("python_version")) if isinstance(generic, dict) else None

    def text(self, name: str) -> str | None:
        """Return a text file of the directory, or None where there is none."""
        path = self.folder / name
        return _read(path) if path.is_file() else None


def plain(value: object) -> str | None:
    """Return a text or a number as text; anything else, such as nested aliases, is neither."""
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def read_model_directory(folder: Path) -> ModelDirectory:
    """Read what ``folder/MLmodel`` says.

    Raises InputError where the folder is no MLflow model directory, or holds something that is
    neither a file nor a folder (a link could lead out of it).
    """
    where = Location(file=(folder / FILE).as_posix())
    if not folder.is_dir():
        raise InputError(
            "the artifact is no folder.", where=Location(file=folder.as_posix()), remedy=_WHAT
        )
    if not (folder / FILE).is_file():
        raise InputError("this is no MLflow model directory.", where=where, remedy=_WHAT)
    try:
        described = yaml.safe_load(_read(folder / FILE))
    except yaml.YAMLError:
        raise InputError("the file is not YAML.", where=where, remedy=_WHAT) from None
    flavors = described.get("flavors") if isinstance(described, dict) else None
    if not isinstance(flavors, dict) or not flavors:
        raise InputError("the file names no flavors.", where=where, remedy=_WHAT)
    for _ in plain_files(folder):
        pass
    return ModelDirectory(
        folder=folder, flavors=tuple(sorted(str(name) for name in flavors)), described=described
    )


def plain_files(folder: Path) -> Iterator[str]:
    """Yield the relative names of all files below ``folder``, sorted.

    Raises InputError for a link, a socket or a device, and for a name that not every system can
    hold: what is signed must mean the same wherever it is unpacked.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        where = Location(file=path.as_posix())
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise InputError(
                "this is neither a file nor a folder.",
                where=where,
                remedy="Put the file itself there, not a link to it.",
            )
        if "\\" in name or any(ord(character) < 32 or ord(character) == 127 for character in name):
            raise InputError(
                "the name holds a backslash or a control character.",
                where=Location(file=folder.as_posix()),
                remedy="Rename the file.",
            )
        if path.is_file():
            yield name


def _read(path: Path) -> str:
    where = Location(file=path.as_posix())
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise InputError(f"the file has over {MAX_TEXT_BYTES:,} bytes.", where=where)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8.", where=where) from None
    except OSError as error:
        raise OutsideError(f"cannot be read: {error.strerror}.", where=where) from None
