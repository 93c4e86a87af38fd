"""The SBOM: valid by CycloneDX's own schema, and of the model's environment alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from assay.errors import InputError
from assay.packaging.gated import read_gated
from assay.packaging.model_directory import read_model_directory
from assay.packaging.requirements import conda_packages_of, packages_of
from assay.packaging.sbom import packages_needed, sbom_of
from support.bundles import Made, ingredients

LOCK = f"""\
# a hashed lock for several platforms
--index-url https://example.invalid/simple
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:{"c" * 64}
pywin32==312 ; sys_platform == 'win32' \\
    --hash=sha256:{"d" * 64}
Scikit_Learn==1.9.1 \\
    --hash=sha256:{"e" * 64}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return ingredients(tmp_path_factory.mktemp("sbom"))


def document(made: Made, lock: tuple[str, str] | None = None) -> dict[str, Any]:
    directory = read_model_directory(made.artifact)
    text = sbom_of(read_gated(made.evidence, None), directory, packages_needed(directory, lock))
    problems = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert problems is None
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_is_valid_and_names_model_and_packages(made: Made) -> None:
    found = document(made)
    assert found["metadata"]["component"]["type"] == "machine-learning-model"
    assert [one["purl"] for one in found["components"]] == [
        "pkg:pypi/mlflow@3.17.2",
        "pkg:pypi/scikit-learn@1.9.1",
        "pkg:pypi/skops@0.14.0",
    ]
    assert "timestamp" not in found["metadata"]


def test_a_lock_says_more_and_markers_are_the_models(made: Made) -> None:
    found = document(made, ("requirements.txt", LOCK))
    purls = {one["purl"]: one for one in found["components"]}
    assert set(purls) == {"pkg:pypi/numpy@2.4.6", "pkg:pypi/scikit-learn@1.9.1"}
    assert purls["pkg:pypi/scikit-learn@1.9.1"]["hashes"] == [
        {"alg": "SHA-256", "content": "e" * 64}
    ]
    assert [one["value"] for one in purls["pkg:pypi/numpy@2.4.6"]["properties"]] == [
        "a" * 64,
        "b" * 64,
    ]


def test_the_same_model_gives_the_same_bytes(made: Made) -> None:
    assert document(made) == document(made)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy>=2", [("numpy", None)]),
        ("numpy==2.*", [("numpy", None)]),
        ("-e .\n-r other.txt\n\n# numpy==1\nnumpy==2.0 # why", [("numpy", "2.0")]),
        ("Some.Thing[extra]==1.0", [("some-thing", "1.0")]),
        ("thing @ https://example.invalid/thing-1.whl", [("thing", None)]),
    ],
)
def test_what_a_line_pins(text: str, expected: list[tuple[str, str | None]]) -> None:
    found = packages_of(text, file="requirements.txt", python=None)
    assert [(one.name, one.version) for one in found] == expected


def test_conda_names_its_own_packages_and_those_of_pip() -> None:
    text = "dependencies:\n- python=3.11.7\n- xgboost==3.1\n- pip\n- pip:\n  - skops==0.14.0\n"
    found = conda_packages_of(text, file="conda.yaml", python="3.11.7")
    assert [(one.kind, one.name, one.version) for one in found] == [
        ("conda", "pip", None),
        ("conda", "python", "3.11.7"),
        ("conda", "xgboost", "3.1"),
        ("pypi", "skops", "0.14.0"),
    ]


def test_a_line_that_is_no_requirement_is_named_with_its_place() -> None:
    with pytest.raises(InputError, match=r"requirements\.txt:2"):
        packages_of("numpy==1\nnot a requirement at all\n", file="requirements.txt", python=None)


def test_an_mlflow_directory_that_names_no_package_asks_for_a_lock(tmp_path: Path) -> None:
    bare = ingredients(tmp_path)
    (bare.artifact / "requirements.txt").unlink()
    with pytest.raises(InputError, match="--lock"):
        packages_needed(read_model_directory(bare.artifact), None)
