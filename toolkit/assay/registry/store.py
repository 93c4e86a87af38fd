"""The registry at an address, each call within bounded time; MLflow is loaded by the first one.

Whatever goes wrong at the server, or takes too long, is an OutsideError that names the address:
a controller goes on serving, a job is run again, and nothing was half done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from assay.errors import AssayError, OutsideError
from assay.registry.facts import Difference, Registered, VersionFacts
from assay.registry.tracking import without_userinfo

T = TypeVar("T")
CALL_SECONDS = 30.0
TRANSFER_SECONDS = 900.0


class Registry:
    """MLflow's model registry at ``uri``.

    ``artifacts`` is where a local store keeps files; a server knows its own place. The caller
    bounds MLflow's single requests with ``tracking.limit_waiting``; the seconds here bound all of
    a call together.
    """

    def __init__(
        self,
        uri: str,
        *,
        artifacts: Path | None = None,
        call_seconds: float = CALL_SECONDS,
        transfer_seconds: float = TRANSFER_SECONDS,
    ) -> None:
        self._uri = uri
        self._artifacts = artifacts
        self._call = call_seconds
        self._transfer = transfer_seconds

    def register(self, facts: VersionFacts, folder: Path) -> Registered:
        """Register a bundle: see ``versions.register``."""

        def call(do: Any, client: Any) -> Registered:
            made: Registered = do.register(client, facts, folder, artifacts=self._artifacts)
            return made

        return self._within(self._transfer, "versions", call)

    def fetch(self, name: str, digest: str, to: Path) -> Path:
        """Download the bundle of an artifact digest: see ``versions.fetch``."""

        def call(do: Any, client: Any) -> Path:
            got: Path = do.fetch(client, name, digest, to)
            return got

        return self._within(self._transfer, "versions", call)

    def known_versions(self, name: str) -> frozenset[str]:
        """Return what versions are called: see ``versions.known_versions``."""

        def call(do: Any, client: Any) -> frozenset[str]:
            found: frozenset[str] = do.known_versions(client, name)
            return found

        return self._within(self._call, "versions", call)

    def project(
        self, name: str, wanted: Mapping[str, str | None], *, repair: bool = True
    ) -> tuple[Difference, ...]:
        """Set aliases to artifact digests, and say what differed: see ``aliases.project``."""

        def call(do: Any, client: Any) -> tuple[Difference, ...]:
            found: tuple[Difference, ...] = do.project(client, name, wanted, repair=repair)
            return found

        return self._within(self._call, "aliases", call)

    def _within(self, seconds: float, module: str, call: Callable[[Any, Any], T]) -> T:
        done: list[T] = []
        failed: list[BaseException] = []

        def work() -> None:
            try:
                done.append(self._called(module, call))
            except BaseException as error:  # noqa: BLE001 -- raised again where it was asked for
                failed.append(error)

        thread = threading.Thread(target=work, name="mlflow-registry", daemon=True)
        thread.start()
        thread.join(seconds)
        if failed:
            raise failed[0]
        if not done:
            raise self._outside(f"it did not answer within {seconds:.0f} seconds")
        return done[0]

    def _called(self, module: str, call: Callable[[Any, Any], T]) -> T:
        client = import_module("assay.registry.client")
        try:
            connected = client.connected(self._uri)
            return call(import_module(f"assay.registry.{module}"), connected)
        except AssayError:
            raise
        except client.EXPECTED as error:
            raise self._outside(client.first_line(error, self._uri)) from None

    def _outside(self, why: str) -> OutsideError:
        place = without_userinfo(self._uri)
        why = why.removeprefix(f"{place}: ")
        return OutsideError(
            f"the MLflow registry at {place} failed: {why}.",
            remedy="Nothing was half done: run it again when it answers.",
        )
