"""Logs and labels in a real PostgreSQL and in a real S3 API, that go away at any moment.

S3 is moto's server. The command runs as a user starts it, from the environment `sources`.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from assay.evidence import Look
from support.failing_front import Front, failing_front
from support.postgres import PASSWORD, Postgres, postgres, programs
from support.production import START, Production

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1200), pytest.mark.xdist_group("sources")]

LAUNCHER = Path(__file__).resolve().parents[2] / "toolkit/bin/assay"


@dataclass
class Watched:
    """A production whose files lie in ``made.folder`` until they are put elsewhere."""

    made: Production
    variables: dict[str, str] = field(default_factory=dict)

    def look(self, day: float) -> subprocess.CompletedProcess[str]:
        """Run `assay monitor` as of a day."""
        folder = self.made.folder
        config = folder / "assay.yaml"
        model = self.made.model().model_dump(mode="json", exclude_defaults=True)
        config.write_text(json.dumps({"version": 1, "models": {"m": model}}))
        at = (START + timedelta(days=day)).isoformat()
        return subprocess.run(
            [
                LAUNCHER, "monitor", "--config", config, "--state", folder / "state", "--at", at,
                "--evidence", folder / "evidence", "--exit-zero",
            ],
            env={**os.environ, "ASSAY_ENVIRONMENT": "sources", **self.variables},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def seen(self, day: float) -> Look:
        done = self.look(day)
        assert done.returncode == 0, done.stderr
        return Look.read(self.made.folder / "evidence/m")


def facts(look: Look) -> tuple[Any, ...]:
    return look.windows, look.rules, look.labels


def calm(folder: Path, days: int) -> Look:
    """The same production from local files."""
    made = Production(folder)
    for number in range(days):
        made.day(number, 120)
    made.label(made.rows)
    return made.look(float(days))


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip("there is no PostgreSQL server (Debian's package is postgresql)")
    with postgres() as made:
        yield made


def stored(server: Postgres, made: Production, schema: str) -> None:
    """Put the production's rows into tables of a schema, and empty the local ones."""
    server.sql(
        f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; "
        f"CREATE TABLE {schema}.predictions (request_id text, time timestamptz, version text, "
        f"prediction boolean, score numeric, picture bytea, context jsonb); "
        f"CREATE TABLE {schema}.labels (request_id text, label boolean, known timestamptz)"
    )
    added(server, made.rows, schema)


def added(server: Postgres, rows: list[dict[str, Any]], schema: str) -> None:
    predictions = ", ".join(
        f"('{row['request_id']}', '{row['time'].isoformat()}', '{row['version']}', "
        f"{bool(row['said'])}, {row['score']}, NULL, '{{}}')"
        for row in rows
    )
    labels = ", ".join(
        f"('{row['request_id']}', {bool(row['label'])}, "
        f"'{(row['time'] + timedelta(days=1)).isoformat()}')"
        for row in rows
    )
    for table, values in (("predictions", predictions), ("labels", labels)):
        server.sql(f"INSERT INTO {schema}.{table} VALUES {values}")  # noqa: S608 -- of this test


def in_tables(folder: Path, server: Postgres, schema: str) -> Watched:
    logs = {"source": server.address, "table": f"{schema}.predictions", "score": "score"}
    labels = {"source": server.address, "table": f"{schema}.labels", "time": "known",
              "delay": 2 * 86_400}  # fmt: skip
    made = Production(folder, settings={"logs": logs, "labels": labels})
    return Watched(made, {"PGPASSWORD": PASSWORD})


def test_a_look_at_postgresql_is_that_at_files(tmp_path: Path, server: Postgres) -> None:
    watched = in_tables(tmp_path / "tables", server, "calm")
    for number in range(5):
        watched.made.day(number, 120)
    stored(server, watched.made, "calm")
    assert facts(watched.seen(5.0)) == facts(calm(tmp_path / "files", 5))


def test_a_database_that_is_away_loses_nothing(tmp_path: Path, server: Postgres) -> None:
    watched = in_tables(tmp_path / "tables", server, "away")
    for number in range(4):
        watched.made.day(number, 120)
    stored(server, watched.made, "away")
    assert watched.look(4.0).returncode == 0
    watched.made.day(4, 120)
    added(server, watched.made.rows[-120:], "away")
    before = (watched.made.folder / "state/state.json").read_bytes()
    server.stop()
    try:
        done = watched.look(4.5)
    finally:
        server.start()
    assert done.returncode == 3, done.stderr
    assert "does not answer" in done.stderr
    assert (watched.made.folder / "state/state.json").read_bytes() == before
    assert facts(watched.seen(5.0))[1:2] == facts(calm(tmp_path / "files", 5))[1:2]


def test_a_wrong_password_is_something_outside_and_no_row_is_changed(
    tmp_path: Path, server: Postgres
) -> None:
    watched = in_tables(tmp_path, server, "locked")
    watched.made.day(0, 20)
    stored(server, watched.made, "locked")
    watched.variables["PGPASSWORD"] = "another"
    done = watched.look(1.0)
    assert done.returncode == 3
    assert "password authentication failed" in done.stderr
    watched.variables["PGPASSWORD"] = PASSWORD
    watched.made.settings["labels"]["table"] = "locked.absent"
    done = watched.look(1.0)
    assert done.returncode == 2
    assert "no table 'locked.absent'" in done.stderr


@pytest.fixture
def front() -> Iterator[Front]:
    """moto behind a front that can fail any request."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with failing_front(f"http://{host}:{port}") as made:
            yield made
    finally:
        server.stop()


def in_bucket(folder: Path, front: Front) -> Watched:
    logs = {"source": "s3://production/logs/**/*.parquet", "score": "score"}
    labels = {"source": "s3://production/labels.csv", "time": "known", "delay": 2 * 86_400}
    made = Production(folder, settings={"logs": logs, "labels": labels})
    return Watched(
        made,
        {
            "AWS_ENDPOINT_URL": front.uri, "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "anybody", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        },
    )  # fmt: skip


def uploaded(watched: Watched, front: Front) -> None:
    """Put what lies in the folder into the bucket."""
    client = boto3.client(
        "s3", endpoint_url=front.behind, region_name="us-east-1",
        aws_access_key_id="anybody", aws_secret_access_key="anybody",
    )  # fmt: skip
    client.create_bucket(Bucket="production")
    folder = watched.made.folder
    for path in (*(folder / "logs").iterdir(), folder / "labels.csv"):
        client.upload_file(str(path), "production", path.relative_to(folder).as_posix())


def test_a_bucket_that_is_down_at_any_call_loses_nothing(tmp_path: Path, front: Front) -> None:
    """From each of the calls of a look on the bucket is down; then it is back."""
    watched = in_bucket(tmp_path / "bucket", front)
    for number in range(3):
        watched.made.day(number, 120)
    watched.made.label(watched.made.rows)
    uploaded(watched, front)
    fails_at = 0
    while True:
        front.seen, front.fails_at = 0, fails_at
        done = watched.look(3.0)
        if done.returncode == 0:
            break
        assert done.returncode == 3, done.stderr
        assert "Traceback" not in done.stderr
        assert not (watched.made.folder / "state/state.json").exists()
        fails_at += 1
        assert fails_at < 60
    assert fails_at >= 4, front.asked
    front.fails_at = None
    assert facts(watched.seen(3.0)) == facts(calm(tmp_path / "files", 3))
    front.asked.clear()
    watched.seen(3.1)
    assert not [each for each in front.asked if each.endswith(".parquet") and "GET" in each]
