"""Strings of strangers, and evidence in which every text is one of them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

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

SHA = "0123456789abcdef0123456789abcdef01234567"
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
    _plan(w, title=words[-1]).write(folder)
    for side, where, wrong in (("head", folder / "m", 3), ("base", folder / "m" / "base", 7)):
        where.mkdir(parents=True, exist_ok=True)
        path = where / "predictions.csv"
        path.write_text(predictions(words, wrong=wrong), encoding="utf-8", newline="")
        _training(w, side, path).write(where)
    _tests(words, command=w[6]).write(folder / "m")
    _data(words).write(folder / "m")


def _plan(w: list[str], *, title: str) -> Plan:
    rules = parse_config(
        "version: 1\nmodels:\n  m:\n    predictions: p.csv\n"
        "    gates: {accuracy: {margin: 0.01}}\n    min_slice_rows: 5\n"
    ).models["m"]
    slices = tuple(Slice(column=one_line(word)) for word in w[:9])
    return Plan(
        event=Event(
            name="pull_request",
            repository="octo/churn",
            number=7,
            title=title,
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
                name="m",
                path=".",
                touched=True,
                reason=w[3],
                rules_from="base",
                rules=rules.model_copy(update={"slices": slices}),
            ),
        ),
    )


def _training(w: list[str], side: str, path: Path) -> Training:
    is_base = side == "base"
    return Training(
        model="m",
        side=side,
        state=StageState.PASSED,
        command=w[6],
        source=BaseSource.RERUN if is_base else None,
        source_detail=w[4] if is_base else None,
        lineage=Lineage(commit=SHA, params={w[8]: w[3]}, dvc={f"data:{w[1]}": w[4]}),
        predictions=Prediction(file=path.name, sha256=file_digest(path), bytes=path.stat().st_size),
        scalars={w[0]: 1.0},
        missing_scalars={w[1]: w[2]},
        tracking=w[9],
    )


def _tests(words: tuple[str, ...], *, command: str) -> TestRun:
    return TestRun(
        model="m",
        state=StageState.FAILED,
        command=command,
        failed=len(words),
        failures=tuple(
            TestFailure(name=word, file=word[:100], line=3, message=word) for word in words
        ),
    )


def _data(words: tuple[str, ...]) -> DataReport:
    return DataReport(
        model="m",
        state=StageState.FAILED,
        reason=words[-1],
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
    )
