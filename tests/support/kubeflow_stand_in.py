"""A stand-in for the server of Kubeflow Pipelines: ``python kubeflow_stand_in.py PORT FOLDER``.

It speaks the part of the API v2beta1 that kfp's client uses, and has each run executed by the SDK's
own local runner (SubprocessRunner) in a process of its own. Started in the environment of
requirements/kfp.txt. Runs are kept in FOLDER, so that one that was killed can be started again. A
file ``FOLDER/lose`` has the next creation lose its answer, once; ``FOLDER/blind`` has the next list
be empty, once; ``FOLDER/token`` is what callers must send.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

EXPERIMENT = {"experiment_id": "e1", "display_name": "assay"}
_API = "/apis/v2beta1"


class Runs:
    """Every run as a file, and the process that executes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()

    def read(self, name: str) -> dict[str, Any] | None:
        file = self.folder / f"{name}.json"
        return json.loads(file.read_text()) if file.is_file() else None

    def write(self, run: dict[str, Any]) -> None:
        file = self.folder / f"{run['run_id']}.json"
        file.with_suffix(".part").write_text(json.dumps(run))
        file.with_suffix(".part").replace(file)

    def every(self) -> list[dict[str, Any]]:
        names = sorted(file.stem for file in self.folder.glob("run-*.json"))
        return [self.now(name) for name in names]

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            name = f"run-{len(list(self.folder.glob('run-*.json'))) + 1:03d}"
            created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            run = {**body, "run_id": name, "state": "RUNNING", "created_at": created}
            self.write(run)
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, __file__, "--run", str(self.folder), name],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        (self.folder / f"{name}.pid").write_text(str(process.pid))
        threading.Thread(target=process.wait, daemon=True).start()
        return run

    def now(self, name: str) -> dict[str, Any] | None:
        """A run as it stands: its process leaves a file when it has ended."""
        run = self.read(name)
        ended = self.folder / f"{name}.ended"
        if run and run["state"] == "RUNNING" and ended.is_file():
            code, log = ended.read_text(), (self.folder / f"{name}.log").read_text()
            run["state"] = "SUCCEEDED" if code == "0" else "FAILED"
            last = [line for line in log.splitlines() if line.strip()][-1:]
            error = None if code == "0" else {"code": 2, "message": (last or ["?"])[0]}
            run["run_details"] = {"task_details": [
                {"display_name": "fit", "state": run["state"], "error": error}
            ]}  # fmt: skip
            self.write(run)
        return run

    def terminate(self, name: str) -> None:
        run = self.now(name)
        if run and run["state"] == "RUNNING":
            os.killpg(int((self.folder / f"{name}.pid").read_text()), signal.SIGKILL)
            self.write({**run, "state": "CANCELED"})


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    runs: Runs

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        token = self.runs.folder / "token"
        if token.exists() and self.headers["Authorization"] != f"Bearer {token.read_text()}":
            status, data = 401, {"message": "who?"}
        else:
            status, data = self._answer(address.path.removeprefix(_API), address.query, body)
        lose = self.runs.folder / "lose"
        if self.command == "POST" and address.path.endswith("/runs") and lose.exists():
            lose.unlink()
            self.close_connection = True
            return
        content = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, path: str, query: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/healthz":
            return 200, {"multi_user": False}
        if path.startswith("/experiments"):
            return 200, EXPERIMENT if self.command == "POST" else {"experiments": [EXPERIMENT]}
        if path == "/runs" and self.command == "POST":
            return 200, self.runs.create(body)
        if path == "/runs":
            wanted = json.loads(parse_qs(query)["filter"][0])["predicates"][0]
            part = wanted.get("stringValue") or wanted.get("string_value")
            blind = self.runs.folder / "blind"
            every = [] if blind.exists() else self.runs.every()
            blind.unlink(missing_ok=True)
            found = [run for run in every if part in run["display_name"]]
            return 200, {"runs": found, "total_size": len(found)}
        match = re.fullmatch(r"/runs/([^/:]+)(:terminate)?", path)
        run = self.runs.now(match[1]) if match else None
        if match is None or run is None:
            return 404, {"message": "there is no such thing"}
        if match[2]:
            self.runs.terminate(match[1])
            return 200, {}
        return 200, run

    do_GET = do_POST = _serve  # noqa: N815


def execute(folder: Path, name: str) -> None:
    """Run a pipeline by the SDK's local runner, and leave its exit code."""
    import yaml  # noqa: PLC0415 -- of the SDK's environment alone
    from kfp import components, local  # noqa: PLC0415

    run = json.loads((folder / f"{name}.json").read_text())
    code = 1
    try:
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(folder / "local"))
        spec = run["pipeline_spec"]
        documents = [spec.get("pipeline_spec", spec)]
        pipeline = components.load_component_from_text(yaml.safe_dump_all(documents))
        pipeline(**(run.get("runtime_config", {}).get("parameters") or {}))
        code = 0
    finally:
        (folder / f"{name}.ended.part").write_text(str(code))
        (folder / f"{name}.ended.part").replace(folder / f"{name}.ended")


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        execute(Path(sys.argv[2]), sys.argv[3])
    else:
        Handler.runs = Runs(Path(sys.argv[2]))
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
