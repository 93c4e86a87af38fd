"""How a process in a container is told what to serve: by variables, and never another bundle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class RefusedError(Exception):
    """What was mounted is not what was asked for; the message says which file."""


def settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what :class:`server.Settings` takes, from ``ASSAY_`` variables.

    ASSAY_BUNDLE is the bundle's folder and ASSAY_ARTIFACT_DIGEST the digest that it must have.
    ASSAY_PORT, ASSAY_WORKERS, ASSAY_SERVER and ASSAY_SERVING (JSON of ``serving`` in assay.yaml)
    may be left out; logs go below ASSAY_SCRATCH. Raises RefusedError, KeyError where one of the
    two is missing.
    """
    bundle, digest = Path(environ["ASSAY_BUNDLE"]), environ["ASSAY_ARTIFACT_DIGEST"]
    check(bundle, digest)
    serving = json.loads(environ.get("ASSAY_SERVING") or "{}")
    log = serving.get("log", {})
    scratch = Path(environ.get("ASSAY_SCRATCH") or "/tmp/assay")  # noqa: S108 -- the container's
    predictions = scratch / "predictions" / digest
    predictions.mkdir(parents=True, exist_ok=True)
    return {
        "version": digest,
        "model": str(bundle / "model"),
        "server": serving.get("server", "mlflow"),
        "host": environ.get("ASSAY_HOST") or "0.0.0.0",  # noqa: S104 -- the container's own
        "port": int(environ.get("ASSAY_PORT") or 8080),
        "workers": int(environ.get("ASSAY_WORKERS") or 1),
        "unit_header": serving.get("unit_header", "x-assay-unit"),
        "request_seconds": serving.get("request_seconds", 15),
        "drain_seconds": serving.get("drain_seconds", 30),
        "requests": str(scratch / "requests.jsonl"),
        "predictions": str(predictions),
        "share": log.get("share", 1.0),
        "queue": log.get("queue", 10_000),
        "seconds": log.get("seconds", 10),
        "inputs": log.get("inputs", True),
    }


def check(bundle: Path, digest: str) -> None:
    """Raise RefusedError unless ``bundle`` is the one of this digest, with every model file whole.

    The signature was verified by who mounted it; a digest that was pinned then pins all of it.
    """
    manifest = bundle / "bundle.json"
    found = _sha256(manifest)
    if found != digest:
        message = f"{manifest} has the digest {found}, not {digest}: this bundle is another one."
        raise RefusedError(message)
    listed = {
        entry["file"]: entry["sha256"]
        for entry in json.loads(manifest.read_text(encoding="utf-8"))["files"]
        if entry["file"].startswith("model/")
    }
    present = {
        file.relative_to(bundle).as_posix()
        for file in (bundle / "model").rglob("*")
        if not file.is_dir()
    }
    for name in sorted(present | set(listed)):
        if name not in listed or name not in present or _sha256(bundle / name) != listed[name]:
            message = f"{name} is not the file that bundle.json lists."
            raise RefusedError(message)


def _sha256(file: Path) -> str:
    try:
        digest = hashlib.sha256()
        with file.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()
    except FileNotFoundError as error:
        message = f"{file} is not there."
        raise RefusedError(message) from error
