"""Every malformed ``assay.yaml``, through a real command."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.conftest import Case, Place
from support.malformed import CASES, SMALL

CHECK = ("check-data",)


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_configuration(name: str, place: Place) -> None:
    text, message = CASES[name]
    place.demand(Case(argv=CHECK, files={"assay.yaml": text}, says=(f"assay.yaml:{message}",)))


FILES = {
    "missing": Case(argv=CHECK, says=("assay.yaml: there is no such file. Write one",)),
    "elsewhere": Case(
        argv=(*CHECK, "--config", "no/assay.yaml"), says=("no/assay.yaml: there is no such file",)
    ),
    "folder": Case(
        argv=(*CHECK, "--config", "here"), files={"here/a": ""}, says=("'here' is a directory",)
    ),
    "latin-1": Case(
        argv=CHECK,
        files={"assay.yaml": b"version: 1\nmodels: \xe9\n"},
        says=("assay.yaml:2:9: the byte 0xe9 here is not UTF-8. Save the file as UTF-8.",),
    ),
    "UTF-16": Case(
        argv=CHECK,
        files={"assay.yaml": SMALL.encode("utf-16")},
        says=("assay.yaml:1:1: the byte 0xff here is not UTF-8.",),
    ),
    "binary": Case(
        argv=CHECK,
        files={"assay.yaml": bytes(range(32))},
        says=("assay.yaml:1:1: the character U+0000 may not stand in YAML.",),
    ),
    "one line of a megabyte": Case(
        argv=CHECK,
        files={"assay.yaml": SMALL.replace("p.csv", "/" + "x" * 990_000)},
        says=("assay.yaml:4:18: models.m.predictions should be a relative path",),
    ),
    "more than a megabyte": Case(
        argv=CHECK,
        files={"assay.yaml": "#" * 1_000_001},
        says=("assay.yaml: the file has over 1,000,000 characters",),
    ),
    "another model": Case(
        argv=(*CHECK, "--model", "n"),
        files={"assay.yaml": SMALL},
        says=("assay.yaml has no model 'n'. Known here: m.",),
    ),
    "which model": Case(
        argv=CHECK,
        files={"assay.yaml": SMALL + SMALL.partition("models:\n")[2].replace("  m:", "  n:")},
        says=("there are 2 models. Name one with --model: m, n.",),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_configuration_that_cannot_be_read(name: str, place: Place) -> None:
    place.demand(FILES[name])


def test_in_a_job_the_mistake_is_an_annotation_at_its_place(place: Place) -> None:
    place.demand(
        Case(
            argv=CHECK,
            files={"assay.yaml": SMALL + "zebra: 1\n"},
            environ={"GITHUB_ACTIONS": "true"},
            says=("::error file=assay.yaml,line=6,col=1,title=Invalid input::unknown key",),
        )
    )


def test_each_of_several_mistakes_has_its_message(place: Place) -> None:
    place.write({"assay.yaml": SMALL.replace("p.csv", "/p") + "zebra: 1\ncomment: 3\n"})
    code, out, err = place.run(*CHECK)
    assert (code, out) == (2, "")
    found = [line.split(": ")[2] for line in err.splitlines()]
    assert found == ["assay.yaml:4:18", "assay.yaml:6:1", "assay.yaml:7:10"]


def test_a_file_that_may_not_be_read(place: Place) -> None:
    place.root.joinpath("assay.yaml").symlink_to("assay.yaml")
    place.demand(Case(argv=CHECK, says=("assay.yaml: cannot be read: Too many levels",)))
    assert Path("assay.yaml").is_symlink()
