"""Read ``assay.yaml``: text in, a frozen ``Config`` or errors with places out."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from assay.config.document import MAX_BYTES, YamlDocument, parse_yaml
from assay.config.explain import did_you_mean, explain
from assay.config.model import Config, Model
from assay.errors import InputError, Location, SeveralErrors

T = TypeVar("T", bound=BaseModel)
CONFIG_NAME = "assay.yaml"
_MOST_ERRORS = 20


def load_config(path: Path, *, shown_as: str | None = None) -> Config:
    """Read and validate the configuration file at ``path``.

    Raises InputError, or SeveralErrors of them, each with file, line and column.
    """
    file = shown_as or path.as_posix()
    try:
        with path.open("rb") as stream:
            content = stream.read(4 * MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(
            "there is no such file.",
            where=Location(file=file),
            remedy=_where_else(path)
            or f"Write one (README.md shows the ten lines of a small {CONFIG_NAME}), "
            "or name it with --config.",
        ) from None
    except IsADirectoryError:
        raise InputError(
            "this is a folder, not a file.",
            where=Location(file=file),
            remedy=f"Name the {CONFIG_NAME} in it with --config.",
        ) from None
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}.",
            where=Location(file=file),
            remedy="Check the path and its permissions.",
        ) from None
    return parse_config(content, file=file)


def _where_else(path: Path) -> str | None:
    """Name the folder above that has a configuration: the command was run further down."""
    parents = path.absolute().parent.parents
    above = next((folder for folder in parents if (folder / path.name).is_file()), None)
    if above is None:
        return None
    climb = "/".join([".."] * (parents.index(above) + 1))
    return f"There is one in {climb}: run this there, or with --working-directory {climb} first."


def parse_config(content: str | bytes, *, file: str = CONFIG_NAME) -> Config:
    """Validate the content of a configuration; ``file`` is the name shown in messages.

    Raises InputError, or SeveralErrors of them, each with file, line and column.
    """
    text = content if isinstance(content, str) else _decoded(content, file)
    return validate(Config, parse_yaml(text, file=file), what=CONFIG_NAME)


def _decoded(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        raise InputError(
            f"the byte 0x{content[error.start]:02x} here is not UTF-8.",
            where=Location(
                file=file,
                line=before.count(b"\n") + 1,
                column=error.start - before.rfind(b"\n"),
            ),
            remedy="Save the file as UTF-8.",
        ) from None


def validate(kind: type[T], document: YamlDocument, *, what: str) -> T:
    """Return ``document`` as ``kind``, or raise every problem at its place."""
    if not isinstance(document.data, dict):
        found = {type(None): "empty", list: "a list"}.get(type(document.data), "a single value")
        raise InputError(
            f"{what} must be a mapping of keys to values; this one is {found}.",
            where=document.locate(()),
            remedy="README.md shows the ten lines of a small one.",
        )
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        causes = explain(kind, document, error.errors(include_url=False, include_context=False))
        if len(causes) == 1:
            raise causes[0] from None
        raise SeveralErrors(tuple(causes[:_MOST_ERRORS])) from None


def model_named(config: Config, name: str) -> Model:
    """Return the model ``name`` of ``config``; raises InputError where it has none."""
    try:
        return config.models[name]
    except KeyError:
        raise InputError(
            f"{CONFIG_NAME} has no model {name[:80]!r}.",
            remedy=did_you_mean(name, sorted(config.models)),
        ) from None
