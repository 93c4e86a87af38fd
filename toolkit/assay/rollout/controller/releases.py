"""Bundles on this host, each verified before it may be served, under ``releases/<digest>``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.errors import AssayError, IntegrityError, Location, OutsideError
from assay.packaging.keys import Trusted
from assay.packaging.verify import verify_bundle

Download = Callable[[str, Path], object]
"""Brings the bundle of a digest into a folder that does not exist yet.

Raises OutsideError where it cannot be had now."""


@dataclass(frozen=True, kw_only=True)
class Releases:
    """The folder of bundles, and where they come from."""

    folder: Path
    download: Download
    trusted: Trusted
    repository: str | None

    def fetch(self, digest: str) -> Path:
        """Return the folder of a verified bundle; one that is damaged here is fetched again.

        Raises what verification says of one that must not be served.
        """
        place = self.folder / digest
        if place.is_dir():
            try:
                self._check(place, digest)
            except AssayError:
                shutil.rmtree(place)
            else:
                return place
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as scratch:
                fresh = Path(scratch) / "bundle"
                self.download(digest, fresh)
                self._check(fresh, digest)
                fresh.rename(place)
        except OSError as error:
            raise OutsideError(
                f"the bundle cannot be kept here: {error.strerror}.",
                where=Location(file=self.folder.as_posix()),
                remedy="Free some space; it is tried again.",
            ) from None
        return place

    def _check(self, folder: Path, digest: str) -> None:
        bundle = verify_bundle(folder, self.trusted, self.repository)
        if bundle.digest() != digest:
            raise IntegrityError(
                f"the store gave another bundle, {bundle.digest()[:12]}, for {digest[:12]}.",
                where=Location(file=folder.as_posix()),
                remedy="Look at who can write the store; nothing of it is served.",
            )


def from_folder(bundles: Path) -> Download:
    """Return what takes bundles from a folder that holds ``<digest>/``."""

    def download(digest: str, to: Path) -> None:
        source = bundles / digest
        if not source.is_dir():
            raise OutsideError(
                "there is no such bundle here yet.",
                where=Location(file=source.as_posix()),
                remedy="Put it there; it is looked for again.",
            )
        shutil.copytree(source, to, symlinks=True)

    return download
