"""Strings of strangers: none becomes a workflow command, an output, markup, or a shell's word."""

from __future__ import annotations

import os
import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from assay.cli.outputs import OUTPUTS
from faults.conftest import Place
from faults.test_events import EVENT, RUNNER, event
from support.comments import MARKDOWN
from support.hostile import HARMLESS, HOSTILE, SHA, evidence, one_line, predictions


class Tags(HTMLParser):
    """Which elements, addresses and comments a page has, and its text outside code."""

    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: set[str] = set()
        self.comments: list[str] = []
        self.words: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names[tag] += 1
        self._code += tag in ("code", "pre")
        for name, value in attrs:
            self.attributes.add((tag, name))
            if name in ("href", "src"):
                self.addresses.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in ("code", "pre")

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.words.append(data)


def rendered(markdown: str) -> Tags:
    tags = Tags()
    tags.feed(MARKDOWN.render(markdown))
    return tags


def demand_quiet(out: str) -> None:
    """Nothing steers a terminal, and a job's log holds no command that we did not mean."""
    assert not {"\x1b", "\r", "\x07", "\u202e"} & set(out)
    in_job = os.environ.get("GITHUB_ACTIONS") == "true"
    for line in out.split("\n") if in_job else ():
        if line.strip().startswith("::"):
            assert re.match(r"::(error|warning|notice) [^:]*title=", line), line[:200]
        else:
            # The runner takes this for a command wherever in a line it stands.
            assert "##[" not in line, line[:200]


def demand_outputs(text: str, command: str) -> None:
    """Every line of the output file stands between the delimiters of a declared output."""
    lines = iter(text.splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        assert name in OUTPUTS[command], line[:200]
        while next(lines) != delimiter:
            pass


def in_job(place: Place) -> dict[str, str]:
    """The variables of a job, with an event as hostile as a pull request can make it."""
    made = event({"pull_request.title": HOSTILE[-1], "pull_request.head.ref": HOSTILE[6]})
    place.write(made.files)
    place.write({"outputs": "", "summary": ""})
    return {
        **RUNNER,
        "GITHUB_EVENT_PATH": EVENT,
        "GITHUB_SHA": SHA,
        "GITHUB_OUTPUT": str(place.root / "outputs"),
        "GITHUB_STEP_SUMMARY": str(place.root / "summary"),
    }


@pytest.mark.parametrize("where", ["job", "terminal"])
def test_compare_prints_names_and_nothing_else(where: str, place: Place) -> None:
    environ = in_job(place) if where == "job" else {}
    place.write({"b.csv": predictions(HOSTILE, wrong=7), "h.csv": predictions(HOSTILE, wrong=3)})
    slices = [f"--slice={one_line(word)}" for word in HOSTILE if ":" not in word]
    code, out, err = place.run("compare", "b.csv", "h.csv", *slices, environ=environ)
    assert code in (0, 1), (out[-500:], err)
    demand_quiet(out + err)
    if where == "job":
        demand_outputs((place.root / "outputs").read_text(), "compare")


@pytest.mark.parametrize("word", HOSTILE[:-1])
def test_an_error_quotes_a_hostile_name(word: str, place: Place) -> None:
    environ = in_job(place)
    place.write({"b.csv": predictions(HARMLESS, wrong=7), "h.csv": f'"{word[:99]}",b\n1,2\n'})
    for argv in (
        ("compare", "b.csv", "h.csv"),
        ("compare", "b.csv", "b.csv", "--id", word),
        ("compare", "b.csv", word.replace("/", "")),
        ("check-data", "--model", word),
        (word,),
    ):
        code, out, err = place.run(*argv, environ=environ)
        assert code == 2, (argv, out, err)
        assert out.count("::error") >= 1
        demand_quiet(out + err)
        assert len([line for line in out.split("\n") if line.startswith("::error")]) == 1


@pytest.fixture
def harmless(place: Place) -> Tags:
    """The report of the same evidence with harmless words: the markup that is ours."""
    evidence(place.root / "harmless", HARMLESS)
    place.run("gate", "--evidence", "harmless", "--publisher", "file")
    tags = rendered((place.root / "harmless" / "report.md").read_text())
    assert {"table", "details", "code"} <= set(tags.names)
    return tags


def test_gate_and_report_let_nothing_through(place: Place, harmless: Tags) -> None:
    environ = in_job(place)
    evidence(place.root / "hostile", HOSTILE)
    code, out, err = place.run(
        "gate", "--evidence", "hostile", "--publisher", "file", environ=environ
    )
    assert code == 1, (out[-500:], err)
    demand_quiet(out + err)
    demand_outputs((place.root / "outputs").read_text(), "gate")
    first = (place.root / "hostile" / "report.md").read_bytes()
    code, out, err = place.run("report", "--evidence", "hostile", "--publisher", "file")
    assert code == 0, (out[-500:], err)
    demand_quiet(out + err)
    assert len(first) <= 65_000
    for text in (first.decode(), (place.root / "summary").read_text()):
        demand_harmless(text, harmless)
    assert not (place.root / "pwned").exists()


def demand_harmless(text: str, harmless: Tags) -> None:
    """Only markup that is ours, no address of theirs, nobody mentioned."""
    found = rendered(text)
    assert text.count("pwned") > len(HOSTILE), "the strings should be shown, harmless"
    assert set(found.names) <= set(harmless.names)
    assert found.attributes <= harmless.attributes
    assert found.addresses <= harmless.addresses
    assert not [comment for comment in found.comments if "pwned" in comment]
    words = "".join(found.words)
    assert "@pwned" not in words
    assert "https://pwned" not in words
    assert "www.pwned" not in words
    assert "pwned#1" not in words
    assert "${{" not in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
