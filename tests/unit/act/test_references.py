"""What a workflow refers to is found through called workflows and actions."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.act.references import HOSTED_LABELS, labels_in, references, uses_in
from assay.act.stand_in import available, stand_ins_for
from assay.errors import InputError
from support.repositories import put_files

SHA = "0" * 40


def test_everything_reachable_is_found_once(tmp_path: Path) -> None:
    consumer = put_files(
        tmp_path / "consumer",
        {
            ".github/workflows/a.yml": (
                "jobs:\n"
                f"  x: {{uses: nobody, y: 1}}\n"
                f"  a:\n    uses: assay-ml/assay/.github/workflows/called.yml@{SHA} # v1\n"
                "  b:\n    runs-on: [self-hosted, gpu-box]\n    steps:\n"
                "      - uses: ./tools/own\n"
                "      - uses: docker://alpine\n"
                "      # - uses: commented/out@v1\n"
            ),
            "tools/own/action.yml": 'runs:\n  steps:\n    - uses: "actions/cache/restore@v5"\n',
            ".github/workflows/other.yml": "jobs:\n  a:\n    steps:\n      - uses: un/reached@v1\n",
        },
    )
    toolkit = put_files(
        tmp_path / "toolkit",
        {
            ".github/workflows/called.yml": (
                "on:\n  workflow_call:\n    inputs:\n"
                "      runs-on: {type: string, default: big-runner}\n"
                '      runs-on-training:\n        default: \'["own", "fast"]\'\n'
                "jobs:\n  a:\n    runs-on: ${{ inputs.x && 'quoted-label' || inputs.y }}\n"
                "    steps:\n"
                "      - uses: actions/checkout@v7\n"
                f"      - uses: assay-ml/assay@{SHA}\n"
                f"      - uses: 'assay-ml/assay/actions/say@v2'\n"
            ),
            "action.yml": "runs:\n  steps: []\n",
            "actions/say/action.yaml": "runs:\n  steps: []\n",
        },
    )
    found = references(consumer / ".github/workflows/a.yml", consumer=consumer, toolkit=toolkit)
    assert found.own_refs == (SHA, "v2")
    assert {(u.repository, u.path, u.ref) for u in found.third_party} == {
        ("actions/checkout", "", "v7"),
        ("actions/cache", "restore", "v5"),
    }
    own = {"gpu-box", "big-runner", "own", "fast", "quoted-label"}
    assert set(found.labels) == own | set(HOSTED_LABELS)
    assert len(found.files) == 5


def test_what_the_toolkit_has_not_is_named_with_its_line(tmp_path: Path) -> None:
    text = f"jobs:\n  a:\n    uses: assay-ml/assay/.github/workflows/gone.yml@{SHA}\n"
    consumer = put_files(tmp_path / "consumer", {"w.yml": text})
    with pytest.raises(InputError, match=r"w\.yml:3: .*nothing at '\.github/workflows/gone\.yml'"):
        references(consumer / "w.yml", consumer=consumer, toolkit=tmp_path)


@pytest.mark.parametrize("value", ["no-slash@v1", "owner/name", "owner@v1"])
def test_a_use_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    put_files(tmp_path, {"w.yml": f"steps:\n  - uses: {value}\n"})
    with pytest.raises(InputError, match=r"w\.yml:2: .*is no action"):
        list(uses_in(tmp_path / "w.yml", "w.yml"))


def test_broken_yaml_is_named_with_line_and_column(tmp_path: Path) -> None:
    put_files(tmp_path, {"w.yml": "a: [1, 2\nb: {"})
    with pytest.raises(InputError, match=r"w\.yml:2:2: this is no YAML"):
        list(labels_in(tmp_path / "w.yml", "w.yml"))


def test_stand_ins_are_found_by_name_whatever_the_version(tmp_path: Path) -> None:
    text = "steps:\n  - uses: actions/cache/save@v5\n  - uses: actions/checkout@main\n"
    put_files(tmp_path, {"w.yml": text + "  - uses: actions/unknown@v1\n"})
    *known, unknown = uses_in(tmp_path / "w.yml", "w.yml")
    assert sorted(stand_ins_for(known)) == ["actions/cache@v5", "actions/checkout@main"]
    assert "actions/upload-artifact" in available()
    with pytest.raises(InputError, match=r"w\.yml:4: there is no stand-in for actions/unknown"):
        stand_ins_for([unknown])
