"""The deepchecks adapter: what is asked, what comes back, and every way it can fail to run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.checks.catalogue import DEEPCHECKS
from assay.checks.deepchecks import make_request, read_result, run_deepchecks
from assay.checks.side import Side
from assay.config import Data, Deepchecks
from assay.environments import Tool, environment
from assay.tables.profile import profile
from assay.tables.rows import numbered
from assay.tables.source import open_tables
from support.data_files import people, write_parquet

ROOT = Path(__file__).resolve().parents[3]


def rules(**more: Any) -> Data:
    names = {"train": "train.parquet", "test": "test.csv", "id": "id", "label": "label"}
    return Data.model_validate({**names, "deepchecks": more or True})


def settings(data: Data) -> Deepchecks:
    assert data.deepchecks is not None
    return data.deepchecks


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[dict[str, Side]]:
    write_parquet(tmp_path / "train.parquet", people(400, row=[1] * 400))
    test = people(200, start=400)
    lines = [";".join(map(str, row)) for row in zip(*test.values(), strict=True)]
    (tmp_path / "test.csv").write_text("\n".join([";".join(test), *lines]))
    files = {"train": tmp_path / "train.parquet", "test": tmp_path / "test.csv"}
    with open_tables(files) as engine:
        found = {}
        for name in files:
            rows = numbered(engine, name, ignore=["visits"], id_column="id")
            found[name] = Side(name=name, rows=rows, profiles=profile(rows))
        yield found


def tool(tmp_path: Path, uv: str, **variables: str) -> Tool:
    lock = tmp_path / "lock.txt"
    lock.write_text("")
    return Tool(
        name="deepchecks",
        uv=uv,
        lock=lock,
        cache=tmp_path / "cache",
        variables=variables,
        say=lambda _: None,
    )


def program(path: Path, text: str) -> str:
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return str(path)


def test_the_request_names_files_columns_and_roles(sides: dict[str, Side]) -> None:
    data = rules(checks={"FeatureDrift": "off", "LabelDrift": "block"}, max_rows=100)
    request = make_request(data, settings(data), sides, None, seed=3)
    assert request["files"]["train"]["number"] == "row_"
    assert request["files"]["test"]["delimiter"] == ";"
    assert list(request["files"]["test"]["columns"]) == ["id", "age", "plan", "label"]
    assert request["label_type"] == "binary"
    assert request["categorical"] == ["plan"]
    assert request["checks"] == {"FeatureDrift": False, "LabelDrift": True}
    assert (request["seed"], request["max_rows"]) == (3, 100)
    json.dumps(request)


def result(*checks: dict[str, Any]) -> dict[str, Any]:
    return {"deepchecks": "0.19.1", "checks": list(checks)}


def entry(name: str, state: str, **more: Any) -> dict[str, Any]:
    return {"suite": "data_integrity", "check": name, "state": state, "dataset": "train", **more}


def condition(category: str) -> dict[str, str]:
    return {"name": "a condition", "category": category, "details": "some\ndetails"}


def test_results_become_findings() -> None:
    ran, findings = read_result(
        result(
            entry("IsSingleValue", "ran", conditions=[condition("PASS")]),
            entry("MixedNulls", "ran", conditions=[condition("FAIL"), condition("WARN")]),
            entry("DataDuplicates", "ran", conditions=[condition("ERROR")]),
            entry("ConflictingLabels", "not-run", reason="ValueError: no"),
            entry("LabelDrift", "not-applicable", reason="needs label"),
        ),
        settings(rules(max_rows=100)),
        {"train": 500},
    )
    assert ran == (
        "deepchecks:IsSingleValue",
        "deepchecks:MixedNulls",
        "deepchecks:DataDuplicates",
    )
    assert [(f.check, f.state, f.source) for f in findings] == [
        ("MixedNulls", "failed", "deepchecks"),
        ("MixedNulls", "failed", "deepchecks"),
        ("DataDuplicates", "not-run", "deepchecks"),
        ("ConflictingLabels", "not-run", "deepchecks"),
    ]
    assert findings[0].message == "a condition: some details (in a sample of 100 rows)"
    assert "ValueError: no" in findings[3].message


def test_what_was_asked_for_and_is_not_there_did_not_run() -> None:
    asked = settings(rules(checks={"FeatureDrift": "warn", "LabelDrift": "off"}))
    ran, findings = read_result(result(entry("IsSingleValue", "ran")), asked, {"train": 1})
    assert ran == ("deepchecks:IsSingleValue",)
    assert [(f.check, f.state) for f in findings] == [("FeatureDrift", "not-run")]
    nothing = read_result(result(), settings(rules()), {"train": 1})[1]
    assert [f.check for f in nothing] == ["data_integrity", "train_test_validation"]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("import sys; sys.exit('no Python 3.11')", "no Python 3.11"),
        ("import sys; sys.exit(2)", "it said nothing"),
    ],
)
def test_an_environment_that_cannot_be_made_blocks(
    tmp_path: Path, sides: dict[str, Side], script: str, says: str
) -> None:
    given = tool(tmp_path, program(tmp_path / "uv", script))
    ran, findings = run_deepchecks(given, rules(), sides, None)
    assert ran == ()
    assert [f.state for f in findings] == ["not-run", "not-run"]
    assert all(says in f.message for f in findings)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_missing_uv_blocks(tmp_path: Path, sides: dict[str, Side]) -> None:
    findings = run_deepchecks(tool(tmp_path, str(tmp_path / "none")), rules(), sides, None)[1]
    assert all("No such file" in finding.message for finding in findings)


FAKE_UV = """
import os, sys, pathlib
assert "SECRET" not in os.environ and os.environ["UV_OFFLINE"] == "1"
if sys.argv[1] == "venv":
    place = pathlib.Path(sys.argv[-1]) / "bin"
    place.mkdir()
    (place / "python").write_text({python!r})
    (place / "python").chmod(0o755)
"""
FAKE_PYTHON = f"""#!{sys.executable}
import json, os, sys
asked = json.load(open(sys.argv[-2]))
assert sorted(asked["files"]) == ["test", "train"]
assert os.environ["DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY"] == "true"
assert not [name for name in os.environ if name.startswith(("UV_", "SECRET"))]
json.dump({{"checks": [{{"check": "IsSingleValue", "state": "ran"}}]}}, open(sys.argv[-1], "w"))
"""


def test_the_environment_is_made_once_and_gets_no_secret(
    tmp_path: Path, sides: dict[str, Side]
) -> None:
    uv = program(tmp_path / "uv", FAKE_UV.format(python=FAKE_PYTHON))
    given = tool(tmp_path, uv, SECRET="s", UV_OFFLINE="1", PATH=os.environ["PATH"])
    ran, findings = run_deepchecks(given, rules(), sides, None)
    assert (ran, findings) == (("deepchecks:IsSingleValue",), ())
    program(tmp_path / "uv", "import sys; sys.exit('called again')")
    assert run_deepchecks(given, rules(), sides, None)[0] == ran
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_script_that_leaves_nothing_blocks(tmp_path: Path, sides: dict[str, Side]) -> None:
    uv = program(tmp_path / "uv", FAKE_UV.format(python=f"#!{sys.executable}\n"))
    findings = run_deepchecks(tool(tmp_path, uv, UV_OFFLINE="1"), rules(), sides, None)[1]
    assert all("left no result" in finding.message for finding in findings)


LIST_CHECKS = """
from deepchecks.tabular import suites
for suite in (suites.data_integrity(), suites.train_test_validation()):
    print(*(type(check).__name__ for check in suite.checks.values()), sep="\\n")
"""


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_the_real_suites(tmp_path: Path) -> None:
    """Installs deepchecks from its lock (600 MB) and runs both suites without a network."""
    train, test = people(1000), people(400, start=1000)
    test["id"] = ["p0", *list(test["id"])[1:]]
    train["constant"], test["constant"] = ["c"] * 1000, ["c"] * 400
    write_parquet(tmp_path / "train.parquet", train)
    lines = [",".join(map(str, row)) for row in zip(*test.values(), strict=True)]
    (tmp_path / "test.csv").write_text("\n".join([",".join(test), *lines]))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "assay" / "tests"
    given = Tool(
        name="deepchecks",
        uv=str(ROOT / "toolkit/bin/uv"),
        lock=ROOT / "requirements/deepchecks.txt",
        cache=cache,
        variables=os.environ,
        say=print,
    )
    files = {"train": tmp_path / "train.parquet", "test": tmp_path / "test.csv"}
    with open_tables(files) as engine:
        found = {}
        for name in files:
            rows = numbered(engine, name, id_column="id")
            found[name] = Side(name=name, rows=rows, profiles=profile(rows))
    ran, findings = run_deepchecks(given, rules(max_rows=500), found, None)
    assert len(ran) == 22
    assert {name.removeprefix("deepchecks:") for name in ran} < DEEPCHECKS
    assert {(f.check, f.state) for f in findings} >= {("IsSingleValue", "failed")}
    assert not [f for f in findings if f.state == "not-run"]
    listed = subprocess.run(
        [environment(given), "-W", "ignore", "-c", LIST_CHECKS],
        env={"PATH": os.environ["PATH"], "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(listed.stdout.split()) == DEEPCHECKS
