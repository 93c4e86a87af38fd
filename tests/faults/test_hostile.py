"""Strings of strangers: none becomes a workflow command, an output, markup, or a shell's word."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from assay.cli.outputs import OUTPUTS
from assay.config import Comment, Slice, parse_config
from assay.evidence import (
    BaseSource,
    Change,
    DataReport,
    Event,
    Finding,
    Lineage,
    ModelPlan,
    Plan,
    Prediction,
    Revision,
    StageState,
    TestFailure,
    TestRun,
    Training,
    file_digest,
)
from faults.conftest import Place
from faults.test_events import EVENT, RUNNER, SHA, event

HOSTILE = (
    "::set-output name=pwned::1",
    "a\n::error::pwned\r\n::add-mask::pwned\r::debug::pwned",
    "##[error]pwned ##[set-env name=pwned]1",
    "<script>pwned()</script><img src=x onerror=pwned()>",
    "[pwned](javascript:pwned) ![pwned](https://pwned.example/x.png)",
    "@pwned octo/pwned#1 https://pwned.example www.pwned.example",
    "${{ secrets.pwned }} $(touch pwned) `touch pwned` ; touch pwned",
    "\x1b[31mpwned\x1b]8;;https://pwned.example\x07x\x1b]8;;\x07\u202epwned",
    "x | pwned | y\n| --- |\n# pwned\n\n---\n",
    "<!-- pwned --> </details></table> &lt;pwned&gt; ~~~ ``` $$pwned$$",
    "pwned\u2028::error::pwned\u0085::error::pwned",
    "=cmd|'/C pwned'!A1",
    "pwned " * 30 + "::error::pwned",
    "p" * 1_000_000 + "wned",
)
HARMLESS = tuple(f"word {index}" for index in range(len(HOSTILE)))


def one_line(word: str) -> str:
    """A column's name: all of the word but its line ends."""
    return re.sub(r"[\r\n]+", " ", word[:200]).strip()


def predictions(words: tuple[str, ...], *, wrong: int) -> str:
    """Rows whose ids, classes, categories and column names are the words."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "y_true", "y_pred", *(one_line(word) for word in words)])
    short = [word[:300] for word in words]
    for row in range(len(words) * 60):
        label = short[row % 2]
        predicted = label if row % wrong else short[(row + 1) % 2]
        identity = f"{short[row % len(short)]}{row}"
        writer.writerow([identity, label, predicted, *([short[row % len(short)]] * len(words))])
    return text.getvalue()


def evidence(folder: Path, words: tuple[str, ...]) -> None:
    """A whole evidence folder in which every text is one of the words."""
    w = [word[:400] for word in words]
    rules = parse_config(
        "version: 1\nmodels:\n  m:\n    predictions: p.csv\n"
        "    gates: {accuracy: {margin: 0.01}}\n    min_slice_rows: 5\n"
    ).models["m"]
    rules = rules.model_copy(
        update={"slices": tuple(type_of_slice(one_line(word)) for word in words[:9])}
    )
    long = words[-1]
    Plan(
        event=Event(
            name="pull_request",
            repository="octo/churn",
            number=7,
            title=long,
            author=w[5],
            head_repository="octo/churn",
            head_branch=w[6],
            base_branch=w[1],
            head_sha=SHA,
        ),
        head=Revision(commit=SHA, tree=SHA),
        base=Revision(commit=SHA[::-1], tree=SHA[::-1]),
        config_file="assay.yaml",
        config_rules_from="base",
        comment=Comment(),
        change=Change(files=len(w), code=tuple(w), data=tuple(w), workflows=tuple(w)),
        models=(
            ModelPlan(
                name="m", path=".", touched=True, reason=w[3], rules_from="base", rules=rules
            ),
        ),
    ).write(folder)
    for side, where, wrong in (("head", folder / "m", 3), ("base", folder / "m" / "base", 7)):
        where.mkdir(parents=True, exist_ok=True)
        path = where / "predictions.csv"
        path.write_text(predictions(words, wrong=wrong), encoding="utf-8", newline="")
        Training(
            model="m",
            side=side,
            state=StageState.PASSED,
            command=w[6],
            source=BaseSource.RERUN if side == "base" else None,
            source_detail=w[4] if side == "base" else None,
            lineage=Lineage(commit=SHA, params={w[8]: w[3]}, dvc={f"data:{w[1]}": w[4]}),
            predictions=Prediction(
                file=path.name, sha256=file_digest(path), bytes=path.stat().st_size
            ),
            scalars={w[0]: 1.0},
            missing_scalars={w[1]: w[2]},
            tracking=w[9],
        ).write(where)
    TestRun(
        model="m",
        state=StageState.FAILED,
        command=w[6],
        failed=len(words),
        failures=tuple(
            TestFailure(name=word, file=word[:100], line=3, message=word) for word in words
        ),
    ).write(folder / "m")
    DataReport(
        model="m",
        state=StageState.FAILED,
        reason=long,
        checks=("label-unseen",),
        findings=tuple(
            Finding(
                check="label-unseen",
                dataset=word[:50],
                columns=(word,),
                rows=(word, word),
                message=word,
                count=3,
            )
            for word in words
        ),
    ).write(folder / "m")


def type_of_slice(column: str) -> Slice:

    return Slice(column=column)


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
    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tags = Tags()
    tags.feed(page.render(markdown))
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
