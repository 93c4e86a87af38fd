"""``assay report`` and ``assay publish-report``, as far as they go without a GitHub."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli.publish_report import publish_report
from assay.cli.report import report
from assay.errors import InputError, IntegrityError
from assay.gate.stored import read_stored
from support.reports import MODEL
from support.reviewed import SITUATIONS


def stored(folder: Path, name: str) -> Path:
    """Write a situation's evidence as the gate leaves it."""
    made = SITUATIONS[name]()
    made.plan.write(folder)
    made.verdict.write(folder)
    model = made.models[0]
    for document in (model.tests, model.data, model.head, model.comparison):
        if document is not None:
            document.write(folder / MODEL)
    if model.base is not None:
        model.base.write(folder / MODEL / "base")
    return folder


@pytest.fixture(autouse=True)
def outside_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_NAME", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", SITUATIONS)
def test_stored_evidence_is_rendered_as_it_was_judged(tmp_path: Path, name: str) -> None:
    folder = stored(tmp_path, name)
    result = CliRunner().invoke(report, ["--evidence", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output.strip() == str(folder / "report.md")
    written = (folder / "report.md").read_text(encoding="utf-8")
    assert written.startswith("### Assay: ")
    assert SITUATIONS[name]().verdict.sentence.split(",")[0].split("_")[0] in written


def test_rendering_twice_is_byte_identical(tmp_path: Path) -> None:
    folder = stored(tmp_path, "fail")
    texts = []
    for _ in range(2):
        CliRunner().invoke(report, ["--evidence", str(folder)], catch_exceptions=False)
        texts.append((folder / "report.md").read_bytes())
    assert texts[0] == texts[1]


def test_without_evidence_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plan\.json"):
        CliRunner().invoke(report, ["--evidence", str(tmp_path)], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []


def test_evidence_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = stored(tmp_path, "pass")
    path = folder / MODEL / "data.json"
    path.write_text(path.read_text().replace(f'"model": "{MODEL}"', '"model": "other"'))
    with pytest.raises(IntegrityError, match="'other'"):
        read_stored(folder)


def test_publish_report_belongs_under_workflow_run() -> None:
    with pytest.raises(InputError, match="under workflow_run, not under local"):
        CliRunner().invoke(publish_report, [], catch_exceptions=False)
