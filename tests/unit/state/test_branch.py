"""Records on a branch of a real bare repository: races, refusals, kills, others' branches."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import AssayError, InputError, IntegrityError, OutsideError
from assay.git import Finished, Refused, run_process
from assay.state import Remote, Snapshot, StateBranch, known_here, open_desired
from assay.state.branch import MARKER, Change, Files
from support.repositories import Origin, put_hook

BRANCH = "assay/desired"


class Bench(Origin):
    """A bare repository, and writers to it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        super().__init__(folder)
        self._stack = stack
        self.pauses: list[float] = []

    def writer(self, address: str | None = None) -> StateBranch:
        remote = Remote(address=address or str(self.bare), environment=self.environment)
        opened = self._stack.enter_context(open_desired(remote))
        return replace(opened, sleep=self.pauses.append, jitter=lambda: 1.0)

    def their_branch(self, files: Mapping[str, str]) -> None:
        self.source.git("checkout", "--quiet", "--orphan", BRANCH)
        self.source.git("rm", "-rfq", ".")
        self.source.commit(dict(files), message="theirs")
        self.source.git("push", "--quiet", str(self.bare), f"HEAD:refs/heads/{BRANCH}")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def adding(name: str, line: str) -> Change:
    """Add a line to a file, once."""

    def change(files: Files) -> Files:
        content = files.get(name, b"")
        wanted = f"{line}\n".encode()
        return {} if wanted in content else {name: content + wanted}

    return change


def lines(found: Snapshot, name: str) -> list[str]:
    return found.files.get(name, b"").decode().splitlines()


def test_a_branch_that_is_not_there_is_empty_and_is_made_by_the_first_append(
    bench: Bench,
) -> None:
    writer = bench.writer()
    assert writer.read("x/") == Snapshot(commit=None, files={})
    done = writer.append("x/", adding("x/a", "one"), message="Add one")
    assert done.written == (MARKER, "x/a")
    assert bench.git("rev-parse", BRANCH) == done.commit
    assert bench.git("log", "--format=%s %an", BRANCH) == "Add one Octo"
    assert lines(bench.writer().read("x/"), "x/a") == ["one"]


def test_appending_what_is_there_writes_nothing(bench: Bench) -> None:
    first = bench.writer().append("x/", adding("x/a", "one"), message="m")
    again = bench.writer().append("x/", adding("x/a", "one"), message="m")
    assert (again.written, again.commit) == ((), first.commit)
    assert bench.git("rev-list", "--count", BRANCH) == "1"


def test_a_writer_that_comes_second_appends_to_the_firsts_records(bench: Bench) -> None:
    bench.writer().append("x/", adding("x/a", "zero"), message="m")
    slow, quick = bench.writer(), bench.writer()
    overtaken = []

    def change(files: Files) -> Files:
        if not overtaken:
            overtaken.append(quick.append("x/", adding("x/a", "quick"), message="quick"))
        return adding("x/a", "slow")(files)

    done = slow.append("x/", change, message="slow")
    assert done.tries == 2
    assert bench.pauses == [0.5]
    assert lines(bench.writer().read("x/"), "x/a") == ["zero", "quick", "slow"]
    assert bench.git("log", "--format=%s", BRANCH).splitlines() == ["slow", "quick", "m"]


def test_the_branch_itself_can_be_made_only_once(bench: Bench) -> None:
    slow, quick = bench.writer(), bench.writer()
    overtaken = []

    def change(files: Files) -> Files:
        if not overtaken:
            overtaken.append(quick.append("x/", adding("x/a", "quick"), message="quick"))
        return adding("x/a", "slow")(files)

    assert slow.append("x/", change, message="slow").tries == 2
    assert lines(bench.writer().read("x/"), "x/a") == ["quick", "slow"]


def test_many_writers_at_once_lose_nothing(bench: Bench) -> None:
    writers = [replace(bench.writer(), sleep=threading.Event().wait) for _ in range(3)]
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(2):
                change = adding("x/a", f"{number}.{turn}")
                writers[number].append("x/", change, message="m", tries=20)
        except BaseException as error:  # noqa: BLE001 -- shown below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    expected = sorted(f"{number}.{turn}" for number in range(3) for turn in range(2))
    assert sorted(lines(bench.writer().read("x/"), "x/a")) == expected
    assert bench.git("rev-list", "--count", BRANCH) == "6"


def test_a_branch_that_always_moves_ends_the_tries(bench: Bench) -> None:
    other = bench.writer()
    count = iter(range(100))

    def change(files: Files) -> Files:
        other.append("x/", adding("x/b", str(next(count))), message="other")
        return adding("x/a", "mine")(files)

    with pytest.raises(OutsideError, match="3 times in a row"):
        bench.writer().append("x/", change, message="mine", tries=3)
    assert bench.pauses == [0.5, 1.0]


def test_a_remote_that_is_away_is_asked_again_and_then_said(bench: Bench) -> None:
    writer = bench.writer(str(bench.bare.parent / "gone.git"))
    with pytest.raises(OutsideError, match="asking assay/desired"):
        writer.read("x/")
    with pytest.raises(OutsideError, match="asking assay/desired"):
        writer.append("x/", adding("x/a", "one"), message="m", tries=3)
    assert bench.pauses == [0.5, 1.0]


def test_a_remote_that_comes_back_is_written_to(bench: Bench) -> None:
    away = bench.bare.with_name("away.git")
    bench.bare.rename(away)
    writer = replace(bench.writer(), sleep=lambda _: away.rename(bench.bare))
    assert writer.append("x/", adding("x/a", "one"), message="m").tries == 2


def test_a_password_in_the_address_is_never_shown(bench: Bench) -> None:
    writer = bench.writer("https://user:hunter2@127.0.0.1:1/nothing.git")
    with pytest.raises(OutsideError) as caught:
        writer.read("x/")
    assert "hunter2" not in str(caught.value) + repr(writer)


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_protected_branch_is_not_asked_twice(bench: Bench, hook: str) -> None:
    put_hook(bench.bare, hook, "echo 'protected by a ruleset' >&2; exit 1")
    with pytest.raises(Refused, match="takes no push to assay/desired") as caught:
        bench.writer().append("x/", adding("x/a", "one"), message="m")
    assert "protected by a ruleset" in str(caught.value)
    assert bench.pauses == []
    assert bench.writer().read("x/").commit is None


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"README.md": "mine"}, InputError),
        ({MARKER: "{"}, IntegrityError),
        ({MARKER: "[]"}, IntegrityError),
        ({MARKER: '{"schema": "assay/state/2"}'}, IntegrityError),
    ],
)
def test_a_branch_of_somebody_else_is_left_alone(
    bench: Bench, files: dict[str, str], error: type[AssayError]
) -> None:
    bench.their_branch(files)
    before = bench.git("rev-parse", BRANCH)
    with pytest.raises(error, match="assay/desired"):
        bench.writer().append("x/", adding("x/a", "one"), message="m")
    assert bench.git("rev-parse", BRANCH) == before


def test_a_branch_below_our_name_stands_in_the_way_and_is_said(bench: Bench) -> None:
    bench.source.git("push", "--quiet", str(bench.bare), f"HEAD:refs/heads/{BRANCH}/more")
    with pytest.raises(OutsideError):
        bench.writer().append("x/", adding("x/a", "one"), message="m", tries=2)


class Killed(BaseException):
    """What a signal does to the process."""


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_around_the_push_loses_nothing_and_counts_nothing_twice(
    bench: Bench, after: bool
) -> None:
    bench.writer().append("x/", adding("x/a", "zero"), message="m")

    def run(
        arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
    ) -> Finished:
        if "push" not in arguments:
            return run_process(arguments, cwd, environment, timeout)
        if after:
            run_process(arguments, cwd, environment, timeout)
        raise Killed

    writer = bench.writer()
    with pytest.raises(Killed):
        replace(writer, branch=replace(writer.branch, run=run)).append(
            "x/", adding("x/a", "one"), message="m"
        )
    assert lines(bench.writer().read("x/"), "x/a") == ["zero", *(["one"] if after else [])]
    bench.writer().append("x/", adding("x/a", "one"), message="m")
    assert lines(bench.writer().read("x/"), "x/a") == ["zero", "one"]


def test_a_lost_answer_to_a_push_that_arrived_is_found_by_the_next_try(bench: Bench) -> None:
    sent: list[int] = []

    def run(
        arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
    ) -> Finished:
        done = run_process(arguments, cwd, environment, timeout)
        if "push" in arguments and not sent:
            sent.append(done.code)
            return Finished(code=128, stdout=b"", stderr=b"fatal: the remote end hung up")
        return done

    writer = bench.writer()
    broken = replace(writer, branch=replace(writer.branch, run=run))
    done = broken.append("x/", adding("x/a", "one"), message="m")
    assert (sent, done.tries, done.written) == ([0], 2, ())
    assert lines(bench.writer().read("x/"), "x/a") == ["one"]


def test_files_of_others_and_links_are_kept_and_not_read(bench: Bench) -> None:
    bench.writer().append("x/", adding("x/a", "one"), message="m")
    bench.source.git("fetch", "--quiet", str(bench.bare), BRANCH)
    bench.source.git("checkout", "--quiet", "FETCH_HEAD")
    (bench.source.root / "x" / "link").symlink_to("a")
    bench.source.commit({"intents/1.json": "{}", "x/large": "0" * 4_200_000})
    bench.source.git("push", "--quiet", str(bench.bare), f"HEAD:refs/heads/{BRANCH}")
    found = bench.writer().read("x/")
    assert sorted(found.files) == ["x/a", "x/large"]
    assert len(found.files["x/large"]) == 4 * 1024 * 1024 + 1
    bench.writer().append("x/", adding("x/a", "two"), message="m")
    names = bench.git("ls-tree", "-r", "--name-only", BRANCH).splitlines()
    assert names == [MARKER, "intents/1.json", "x/a", "x/large", "x/link"]


def test_a_clone_knows_what_it_fetched_and_what_is_its_own(bench: Bench) -> None:
    bench.writer().append("x/", adding("x/a", "one"), message="m")
    clone = bench.source.root.parent / "clone"
    bench.source.git("clone", "--quiet", str(bench.bare), str(clone))
    single = bench.source.root.parent / "single"
    bench.source.git("clone", "--quiet", "--single-branch", str(bench.bare), str(single))
    with known_here(clone, bench.environment) as (fetched, own):
        assert lines(fetched.read("x/"), "x/a") == ["one"]
        assert own.read("x/").commit is None
    with known_here(single, bench.environment) as places:
        assert [place.read("x/").commit for place in places] == [None, None]


def test_no_remote_is_waited_for_longer_than_a_minute(bench: Bench) -> None:
    waited: list[float] = []

    def run(
        arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
    ) -> Finished:
        if {"ls-remote", "fetch", "push"} & set(arguments):
            waited.append(timeout)
        return run_process(arguments, cwd, environment, timeout)

    writer = bench.writer()
    patient = replace(writer, branch=replace(writer.branch, run=run))
    for line in ("one", "two"):
        patient.append("x/", adding("x/a", line), message="m")
    assert waited == [60.0] * 5
