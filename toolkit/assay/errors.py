"""The one tree of errors: a class is an exit code and what a person needs to know.

Every message says what is wrong, where, and what to write instead. The edge
(``assay.cli.edge``) prints it once, as an annotation under GitHub Actions, and exits with
``exit_code``; docs/errors.md says what to do about each code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Location:
    """A place in a file, as annotations name it; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, *(str(p) for p in (self.line, self.column) if p is not None)]
        return ":".join(parts)


class AssayError(Exception):
    """Base of everything Assay raises on purpose.

    ``message`` says what is wrong, ``where`` names the place, ``remedy`` what to do about it.
    """

    exit_code = 70
    title = "Assay failed"

    def __init__(
        self, message: str, *, where: Location | None = None, remedy: str | None = None
    ) -> None:
        self.message = message
        self.where = where
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} {self.remedy}" if self.remedy else text

    def placed(self, where: Location) -> AssayError:
        """Return this error at ``where``, unless it names a place already."""
        if self.where is not None:
            return self
        return type(self)(self.message, where=where, remedy=self.remedy)

    def each(self) -> tuple[AssayError, ...]:
        """Return the causes: this error itself, unless it stands for several."""
        return (self,)


class VerdictFailed(AssayError):
    """The verdict says no."""

    exit_code = 1
    title = "The verdict is fail"


class InputError(AssayError):
    """The user's input is wrong: configuration, arguments, or a data file."""

    exit_code = 2
    title = "Invalid input"


class OutsideError(AssayError):
    """Something outside Assay failed: git, DVC, MLflow, GitHub, a server, a disk."""

    exit_code = 3
    title = "Something outside Assay failed"


class IntegrityError(AssayError):
    """Evidence does not match its digest or its signature."""

    exit_code = 4
    title = "Evidence does not match its digest"


class SeveralErrors(AssayError):
    """Several causes found in one pass, so that one run shows them all.

    The exit code is that of the first cause.
    """

    def __init__(self, causes: tuple[AssayError, ...]) -> None:
        if not causes:
            raise ValueError("SeveralErrors needs at least one cause")
        self.causes = causes
        super().__init__("\n".join(str(cause) for cause in causes))
        self.exit_code = causes[0].exit_code
        self.title = causes[0].title

    def each(self) -> tuple[AssayError, ...]:
        """Return every cause, also of those that stand for several themselves."""
        return tuple(found for cause in self.causes for found in cause.each())
