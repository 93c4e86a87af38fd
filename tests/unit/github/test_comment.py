"""One comment for each configuration, whoever writes it and whatever strangers post."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import Publisher
from assay.errors import OutsideError
from assay.github.client import Client
from assay.github.cml import Finished, run_program, why_not_cml
from assay.github.comment import JOB_LOGIN, Comment, Comments, ours
from assay.github.publish import Destination, publish
from assay.github.watermark import cml_would_find, has_watermark, watermark, with_watermark
from support.github_stand_in import Answer, Asked, StandIn, stand_in

COMMIT = "ab" * 20
TITLES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@given(TITLES, TITLES)
def test_a_watermark_is_found_by_its_own_title_alone(title: str, other: str) -> None:
    body = with_watermark("text", title, commit=COMMIT)
    assert has_watermark(body, title)
    assert cml_would_find(body, title)
    assert has_watermark(body, other) == (title == other)


def test_the_watermark_is_written_as_cml_writes_it() -> None:
    assert watermark("my_model", commit="0f1e") == (
        '![](https://cml.dev/watermark.png#0f1e "CML watermark my\\_model")'
    )


def test_a_watermark_that_is_quoted_further_up_is_none() -> None:
    body = with_watermark("x", "assay", commit=COMMIT) + "\n\nmore"
    assert not has_watermark(body, "assay")
    assert cml_would_find(body, "assay")
    assert not has_watermark(f"x {watermark('assay', commit=COMMIT)}", "assay")


class Page:
    """A pull request's comments behind the stand-in."""

    def __init__(self, login: str = JOB_LOGIN, *, knows_itself: bool = False) -> None:
        self.login = login
        self.knows_itself = knows_itself
        self.comments: list[dict[str, Any]] = []
        self.next = 1

    def add(self, author: str, body: str) -> dict[str, Any]:
        made = {
            "id": self.next,
            "user": {"login": author},
            "body": body,
            "html_url": f"https://github.example/c/{self.next}",
        }
        self.next += 1
        self.comments.append(made)
        return made

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/user":
            if self.knows_itself:
                return Answer(document={"login": self.login})
            return Answer(status=403, document={"message": "not accessible by integration"})
        if asked.method == "POST":
            return Answer(status=201, document=self.add(self.login, asked.body["body"]))
        match = re.search(r"/comments/(\d+)$", asked.path)
        if match:
            found = next(one for one in self.comments if one["id"] == int(match[1]))
            if asked.method == "DELETE":
                self.comments.remove(found)
                return Answer(status=204, raw=b"")
            found["body"] = asked.body["body"]
            return Answer(document=found)
        size, page = int(asked.query["per_page"]), int(asked.query["page"])
        return Answer(document=self.comments[(page - 1) * size : page * size])

    def of(self, author: str) -> list[str]:
        return [one["body"] for one in self.comments if one["user"]["login"] == author]


def comments_at(server: StandIn) -> Comments:
    client = Client(repository="octo/churn", token="t" * 20, api_url=server.url, tries=0)
    return Comments(client, 7)


def say(server: StandIn, text: str, title: str = "assay") -> Comment:
    return comments_at(server).publish(text, title=title, commit=COMMIT)


def test_the_second_report_replaces_the_first() -> None:
    page = Page()
    with stand_in(page) as server:
        first = say(server, "first")
        second = say(server, "second")
    assert first.id == second.id
    assert [body.split("\n")[0] for body in page.of(JOB_LOGIN)] == ["second"]


def test_two_configurations_have_two_comments() -> None:
    page = Page()
    with stand_in(page) as server:
        say(server, "one")
        say(server, "two", title="assay-2")
        say(server, "three")
    assert [body.split("\n")[0] for body in page.of(JOB_LOGIN)] == ["three", "two"]


def test_our_comment_is_found_on_any_page() -> None:
    page = Page()
    for i in range(250):
        page.add("octo", f"comment {i}")
    page.add(JOB_LOGIN, with_watermark("old", "assay", commit=COMMIT))
    with stand_in(page) as server:
        say(server, "new")
    assert len(page.comments) == 251
    assert page.of(JOB_LOGIN)[0].startswith("new")


def test_a_strangers_comment_with_our_mark_is_left_alone() -> None:
    page = Page()
    forged = with_watermark("forged", "assay", commit=COMMIT)
    page.add("stranger", forged)
    with stand_in(page) as server:
        say(server, "real")
        say(server, "newer")
    assert page.of("stranger") == [forged]
    assert [body.split("\n")[0] for body in page.of(JOB_LOGIN)] == ["newer"]


def test_a_comment_created_meanwhile_wins_and_ours_goes() -> None:
    page = Page()
    other = with_watermark("other run", "assay", commit=COMMIT)

    def respond(asked: Asked) -> Answer:
        if asked.method == "POST":
            page.add(JOB_LOGIN, other)
        return page(asked)

    with stand_in(respond) as server:
        kept = say(server, "ours")
    assert [one["id"] for one in page.comments] == [kept.id] == [1]
    assert page.of(JOB_LOGIN)[0].startswith("ours")


def test_an_apps_token_finds_its_own_comment_again() -> None:
    page = Page(login="assay-app[bot]")
    with stand_in(page) as server:
        say(server, "first")
        say(server, "second")
    assert [body.split("\n")[0] for body in page.of("assay-app[bot]")] == ["second"]


def test_a_persons_token_writes_under_its_own_name() -> None:
    page = Page(login="octo", knows_itself=True)
    page.add(JOB_LOGIN, with_watermark("the job's", "assay", commit=COMMIT))
    with stand_in(page) as server:
        say(server, "octo's")
        say(server, "octo's again")
    assert page.of("octo")[0].startswith("octo's again")
    assert page.of(JOB_LOGIN)[0].startswith("the job's")


def comment(number: int, author: str = "octo", body: str = "x") -> Comment:
    return Comment(id=number, author=author, body=body, url="")


MARKED = with_watermark("x", "assay", commit=COMMIT)


@pytest.mark.parametrize(
    ("comments", "words"),
    [
        ([], None),
        ([comment(1, JOB_LOGIN, MARKED)], None),
        ([comment(i) for i in range(29)], None),
        ([comment(i) for i in range(30)], "would not find its own again"),
        ([*(comment(i) for i in range(30)), comment(31, JOB_LOGIN, MARKED)], "30 oldest"),
        ([comment(1, JOB_LOGIN, MARKED), comment(2, "stranger", MARKED)], "stranger"),
        ([comment(1, JOB_LOGIN, MARKED), comment(2, JOB_LOGIN, MARKED)], "another comment"),
        ([comment(1, JOB_LOGIN, MARKED + "\n\nquoted")], "another comment"),
    ],
)
def test_cml_is_used_only_where_it_would_find_the_right_comment(
    comments: list[Comment], words: str | None
) -> None:
    reason = why_not_cml(comments, title="assay", login=JOB_LOGIN, server_url="https://github.com")
    assert (reason is None) if words is None else (words in str(reason))


def test_cml_needs_https() -> None:
    reason = why_not_cml([], title="assay", login=JOB_LOGIN, server_url="http://127.0.0.1")
    assert reason is not None


def publish_with(
    server: StandIn, finished: Finished | OutsideError, seen: list[Any], page: Page | None = None
) -> Any:
    def run(command: Sequence[str], env: Mapping[str, str], folder: Path) -> Finished:
        seen.append((list(command), dict(env), (folder / "report.md").read_text()))
        if isinstance(finished, OutsideError):
            raise finished
        if page is not None:
            page.add(JOB_LOGIN, with_watermark("by cml", "assay", commit=COMMIT))
        return finished

    destination = Destination(
        number=7,
        title="assay",
        commit=COMMIT,
        server_url="https://github.example",
        token="t" * 20,
        environ={"PATH": "/bin"},
    )
    client = Client(repository="octo/churn", token="t" * 20, api_url=server.url, tries=0)
    return publish("report", destination, client=client, publisher=Publisher.CML, run=run)


def test_cml_runs_without_publishing_telemetry_or_a_home() -> None:
    page, seen = Page(), []
    with stand_in(page) as server:
        ended = Finished(code=0, output="https://github.example/c/1\n", errors="")
        published = publish_with(server, ended, seen, page)
    command, env, report = seen[0]
    assert published.by is Publisher.CML
    assert published.url == "https://github.example/c/1"
    assert "--publish=false" in command
    assert "--target=pr/7" in command
    assert "--watermark-title=assay" in command
    assert env["ITERATIVE_DO_NOT_TRACK"] == "1"
    assert "assay-cml-" in env["HOME"]
    assert not Path(env["HOME"]).exists()
    assert not any("t" * 20 in part for part in command)
    assert report == "report"


@pytest.mark.parametrize(
    "finished",
    [
        OutsideError("cml is not on PATH."),
        Finished(code=1, output="", errors=f"HttpError: {'t' * 20} not allowed"),
    ],
)
def test_where_cml_fails_assay_writes_the_same_comment(finished: Finished | OutsideError) -> None:
    page = Page()
    page.add(JOB_LOGIN, with_watermark("by cml", "assay", commit=COMMIT))
    with stand_in(page) as server:
        published = publish_with(server, finished, [])
    assert published.by is Publisher.GITHUB
    assert "instead of CML" in published.notes[0]
    assert "t" * 20 not in published.notes[0]
    assert [body.split("\n")[0] for body in page.of(JOB_LOGIN)] == ["report"]


def test_the_file_publisher_asks_nothing_of_github() -> None:
    with stand_in(Page()) as server:
        client = Client(repository="octo/churn", token="t" * 20, api_url=server.url)
        destination = Destination(
            number=7, title="assay", commit=COMMIT, server_url="https://x.example", token="t"
        )
        published = publish("x", destination, client=client, publisher=Publisher.FILE)
    assert published.url == ""
    assert server.asked == []


def test_a_program_that_is_missing_is_an_outside_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="not on PATH"):
        run_program(["assay-has-no-such-program"], {"PATH": str(tmp_path)}, tmp_path)


def test_a_programs_output_is_captured(tmp_path: Path) -> None:
    ended = run_program(["git", "--version"], {"PATH": "/usr/bin:/bin"}, tmp_path)
    wanted = subprocess.run(["git", "--version"], capture_output=True, check=True, text=True)
    assert (ended.code, ended.output) == (0, wanted.stdout)


def test_the_oldest_of_ours_comes_first() -> None:
    found = ours(
        [comment(9, JOB_LOGIN, MARKED), comment(3, JOB_LOGIN, MARKED), comment(1)],
        title="assay",
        login=JOB_LOGIN,
    )
    assert [one.id for one in found] == [3, 9]
