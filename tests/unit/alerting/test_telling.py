"""What a look says over its channels: each problem once, silenced ones not, all else goes on."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.alerting.news import Told, issues_of, messages, silenced, slack
from assay.alerting.push import push
from assay.alerting.telling import METRICS, Channels, families_of, tell, write_pages
from assay.config import Severity
from assay.errors import InputError, OutsideError
from assay.evidence import Look, ProblemKind
from assay.github.issues import Issues
from assay.report.exposition import exposition
from assay.state import Entry
from support.github_stand_in import Answer, Asked, stand_in
from support.pushgateway import pushgateway
from support.watching import DIGEST, look, problem, told

SILENCE = Entry(
    kind="silence",
    model="churn",
    problem="quality:f1",
    by="kim",
    at="2026-03-09T09:00:00Z",
    until="2026-03-09T18:00:00Z",
    reason="known",
)
ACK = replace(SILENCE, kind="ack", until=None)
DRIFT = problem(ProblemKind.LABELS, "feed", severity=Severity.WARN)


def texts(found: Told, previous: Look | None = None) -> list[str]:
    return [message["text"] for _, message in messages(found, previous)]


def test_a_message_says_what_who_and_how_to_go_back() -> None:
    [text] = texts(told(look(problem())))
    for words in (
        "*churn*, urgent: quality of f1",
        "f1 fell by 0.06",
        "910 of 1,000 predictions (91",
        DIGEST,
        "Owner: churn team.",
        "https://example.com/runbooks/churn",
        "assay rollback --model churn --target production",
    ):
        assert words in text


def test_only_what_is_new_or_passed_is_a_message() -> None:
    first = look(problem())
    assert texts(told(first), first) == []
    worse = look(problem(severity=Severity.WARN))
    assert len(texts(told(first), worse)) == 1, "its severity changed"
    again = look(problem(since="2026-03-09T10:00:00Z"))
    assert len(texts(told(again), first)) == 1, "it passed and came back between two looks"
    [passed] = texts(told(look()), first)
    assert "quality of f1 passed" in passed


@pytest.mark.parametrize("entry", [SILENCE, ACK])
def test_a_silenced_or_acknowledged_problem_is_no_message(entry: Entry) -> None:
    assert len(texts(told(look(problem(), DRIFT), entry))) == 1
    assert texts(told(look(), SILENCE), look(problem())) == []


def test_issues_keep_what_is_silenced_and_name_who_acts() -> None:
    wanted, held = issues_of(told(look(problem(), DRIFT), SILENCE))
    assert [one.key for one in wanted] == ["labels:feed"]
    assert held == ("quality:f1",)
    wanted, held = issues_of(told(look(problem()), ACK))
    assert held == ()
    assert "Acknowledged by kim: known" in wanted[0].body
    assert "assay silence churn quality:f1" in wanted[0].body


def test_a_command_to_paste_holds_a_foreign_name_as_one_word() -> None:
    wanted, _ = issues_of(told(look(problem(subject="x; $(reboot)"))))
    assert "assay silence churn 'quality:x; $(reboot)' --until" in wanted[0].body


def test_prometheus_hears_of_silences_too() -> None:
    assert [one.until for one in silenced(told(look(problem()), SILENCE))] == [1773079200.0]
    text = exposition(families_of(told(look(problem()), ACK)))
    assert 'silenced_until_timestamp_seconds{model="churn",kind="quality",subject="f1"} inf' in text


@given(st.text(max_size=60))
def test_no_mention_or_link_comes_from_outside(word: str) -> None:
    shown = slack(f"{word}<!channel> <https://evil.example|x> @here *b*")
    assert "<" not in shown
    assert ">" not in shown
    assert "@here" not in shown
    [text] = texts(told(look(problem(sentence=f"<!channel> {word}"))))
    assert "<!" not in text
    wanted, _ = issues_of(told(look(problem(subject=f"<img>@all|{word}"))))
    outside_code = re.sub(r"`+[^`]*`+", "", wanted[0].body)
    assert "<img>" not in outside_code
    assert "@all" not in outside_code


def test_one_channel_that_is_away_stops_no_other(tmp_path: Path) -> None:
    away = True

    def answer(asked: Asked) -> Answer:
        return Answer(status=404 if away else 200, document={})

    def no_github() -> Issues:
        raise OutsideError("GitHub is away.")

    pushed: list[str] = []
    found = told(look(problem()))
    with stand_in(answer) as server:
        channels = Channels(
            state=tmp_path / "state",
            issues=no_github,
            webhook=server.url,
            push=lambda model, _: pushed.append(model),
            textfile=tmp_path / "assay.prom",
        )
        result = tell((found,), channels)
        assert len(result.troubles) == 2
        assert result.waiting == 1
        assert pushed == ["churn"]
        assert "assay_monitor_problem{" in (tmp_path / "assay.prom").read_text()
        away = False
        result = tell((found,), replace(channels, issues=None))
        assert (result.sent, result.waiting, result.troubles) == (1, 0, ())
        assert tell((found,), replace(channels, issues=None)).sent == 0, "once"


def test_an_old_look_is_no_news(tmp_path: Path) -> None:
    with stand_in(lambda _: Answer(document={})) as server:
        channels = Channels(state=tmp_path, webhook=server.url)
        tell((told(look()),), channels)
        old = told(look(problem(), at="2026-03-09T09:00:00Z"))
        assert "a newer look" in tell((old,), channels).troubles[0]
    assert server.asked == []


def test_pages_stand_beside_the_look(tmp_path: Path) -> None:
    page = write_pages(told(look(problem())), tmp_path)
    assert (tmp_path / "look.md").read_text() == page
    assert "<title>churn in production</title>" in (tmp_path / "look.html").read_text()
    assert (tmp_path / METRICS).read_text().endswith("# EOF\n")


def test_a_pushgateway_gets_the_models_group() -> None:
    with pushgateway() as (address, groups):
        push(address, "churn", families_of(told(look(problem()))))
    [(path, text)] = groups.items()
    assert path == "/metrics/job/assay-monitor/model/churn"
    assert 'assay_monitor_problem{kind="quality",model="churn",severity="block"' in text
    with pytest.raises(OutsideError, match="Pushgateway did not take"):
        push(address, "churn", ())
    with pytest.raises(InputError):
        push("file:///etc/passwd", "churn", ())
