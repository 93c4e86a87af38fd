"""The data schema file: what each column may hold, small enough for a reviewer to diff.

``assay check-data --freeze`` writes it from the data; people tighten it by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from assay.config.document import NUMBER, YamlDocument, parse_yaml
from assay.config.load import validate
from assay.config.types import ColumnName, Number, Share, Strict, Switch, Whole
from assay.errors import InputError, Location

Scalar = str | bool | int | float
_HEADER = (
    "# What the data may hold. Written by `assay check-data --freeze`; tighten it by hand.\n"
    "# Each key is explained in docs/data-checks.md.\n"
)
_WIDTH = 100


class ColumnSchema(Strict):
    """What one column may hold."""

    type: Literal["integer", "float", "boolean", "text", "time", "other"] = Field(
        description="The kind of its values; whole floats count as integers, integers as floats."
    )
    nullable: Switch = Field(default=False, description="Whether values may be missing.")
    max_missing: Share | None = Field(
        default=None, description="The largest share that may be missing; implies `nullable`."
    )
    unique: Switch = Field(default=False, description="Whether every value occurs once.")
    min: Whole | Number | None = Field(default=None, description="Least number.")
    max: Whole | Number | None = Field(default=None, description="Largest number.")
    categories: tuple[Scalar, ...] | None = Field(
        default=None, min_length=1, description="All values there may be."
    )
    pattern: str | None = Field(
        default=None, min_length=1, description="Regular expression (RE2) for the whole text."
    )

    @model_validator(mode="after")
    def _fits_type(self) -> ColumnSchema:
        if self.type not in {"integer", "float"} and (self.min is not None or self.max is not None):
            raise ValueError(f"min and max are for numbers, not for a column of type {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is larger than max")
        if self.pattern is not None and self.type != "text":
            raise ValueError(f"a pattern is for text, not for a column of type {self.type}")
        for value in self.categories or ():
            if not _is_of(value, self.type):
                raise ValueError(f"the category {value!r} is not of type {self.type}")
        return self

    @property
    def may_miss(self) -> bool:
        """Whether a missing value is no problem in itself."""
        return self.nullable or bool(self.max_missing)


def _is_of(value: Scalar, kind: str) -> bool:
    match kind:
        case "text" | "time":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case _:
            return False


class DataSchema(Strict):
    """The whole file."""

    version: Literal[1] = Field(description="The version of this format.")
    columns: dict[ColumnName, ColumnSchema] = Field(
        min_length=1, description="What each column may hold, by its name."
    )


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A schema as it was read: with the text, and with the place of every key."""

    schema: DataSchema
    text: str
    document: YamlDocument

    def place(self, column: str, key: str | None = None) -> Location:
        """Where a column, or one of its keys, stands in the file."""
        path = ("columns", column) if key is None else ("columns", column, key)
        return self.document.locate(path, key=True)


def load_schema(path: Path, *, shown_as: str | None = None) -> Frozen | None:
    """Read a schema file; None where there is none.

    Raises InputError, or SeveralErrors of them, each with file, line and column.
    """
    file = shown_as or path.as_posix()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise InputError(
            f"the file is not UTF-8 (byte {error.start}).",
            where=Location(file=file),
            remedy="Save it as UTF-8.",
        ) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}.", where=Location(file=file)) from None
    return parse_schema(text, file=file)


def parse_schema(text: str, *, file: str) -> Frozen:
    """Validate the text of a schema file; ``file`` is the name shown in messages."""
    document = parse_yaml(text, file=file)
    schema = validate(DataSchema, document, what="a data schema")
    return Frozen(schema=schema, text=text, document=document)


def write_schema(schema: DataSchema) -> str:
    """Return the file's text: columns sorted by name, one line each where it fits."""
    lines = [_HEADER + "version: 1\ncolumns:"]
    for name in sorted(schema.columns):
        facts = schema.columns[name].model_dump(exclude_defaults=True, mode="json")
        key = _yaml(name, flow=True)
        line = f"  {key}: {_yaml(facts, flow=True)}"
        if len(line) > _WIDTH:
            block = _yaml(facts, flow=False).replace("\n", "\n    ")
            line = f"  {key}:\n    {block}"
        lines.append(line)
    return "\n".join(lines) + "\n"


class _Dumper(yaml.SafeDumper):
    """Also puts text in quotes that only YAML 1.2 takes for a number, such as 1e5."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """One line for each text: what would break it stands as an escape."""
    style = None if value.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-+.0123456789"))


def _yaml(value: Any, *, flow: bool) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=flow,
        sort_keys=False,
        allow_unicode=True,
        width=1_000_000,
    )
    return text.removesuffix("\n").removesuffix("\n...")
