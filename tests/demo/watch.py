"""`make demo-watch`: a month of production in simulated time, twice, and what is made of it.

The template's model is trained, and a month of requests is written as the delivery target logs
them: real rows, the real model's answers, labels a week late. Two weeks in, one thing changes. In
one world it is who asks, and the model is as good as before; in the other it is what is true, and
it is not. `assay monitor` looks every twelve simulated hours; `assay retrain` decides. promtool
holds the alert rules to what the looks found, and a real Prometheus scrapes the controller.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit")]

from assay.act.harness import Harness  # noqa: E402 -- the paths above come first
from assay.act.ports import free_port  # noqa: E402
from assay.config import LocalTarget, load_config  # noqa: E402
from assay.evidence import Look, Reference, tree_digest  # noqa: E402
from assay.evidence.monitoring import ProblemKind  # noqa: E402
from assay.packaging.keys import new_key  # noqa: E402
from demo import alarms, detection, month, watched  # noqa: E402
from demo.consumer import Consumer, build  # noqa: E402
from demo.delivery import (  # noqa: E402
    MODEL,
    TARGET,
    Delivery,
    delivering,
    template_with_delivery,
)
from demo.detection import Found  # noqa: E402
from demo.month import Replay, World  # noqa: E402
from demo.retrained import ask, retrain, write_caller  # noqa: E402
from demo.run import say  # noqa: E402
from demo.watched import Watched  # noqa: E402
from support.mlflow_server import mlflow_server  # noqa: E402

END = month.START + timedelta(days=month.DAYS)
STEP = timedelta(seconds=watched.LOOK_EVERY)


@dataclass(frozen=True, kw_only=True)
class Lived:
    """A world that was replayed: its looks, what was decided about the last one, the findings."""

    world: World
    watched: Watched
    replay: Replay
    due: bool
    found: tuple[Found, ...]

    @property
    def looks(self) -> list[Look]:
        """Every look, from the first day on."""
        return self.watched.looks


def main() -> int:
    """Run the demonstration; return 1 where a world did not end as it was expected to."""
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = ROOT / "demo" / time.strftime("watch-%Y%m%d-%H%M%S")
    started = time.monotonic()
    private, public = new_key()
    say(f"Making a consumer repository in {folder} and training its first model ...")
    consumer = make_consumer(folder, public)
    before = begin(folder, consumer)
    harmless, harmful = (live(folder, consumer, world, before) for world in WORLDS)
    shutil.rmtree(before[0].folder)
    findings = [(one.world.name, each) for one in (harmless, harmful) for each in one.found]
    say("\n" + detection.table(findings))
    ends = {one.world.name: end_of(one) for one in (harmless, harmful)}
    rules = alert_rules(folder, consumer, harmless, harmful)
    if harmful.due:
        ends[harmful.world.name] = bring_back(folder, consumer, harmful, rules, private)
    say(f"\nEverything is kept in {folder} ({time.monotonic() - started:.0f} s).\n")
    for name in EXPECTED:
        print(f"{name}: {ends[name]}")
    return 0 if ends == EXPECTED else 1


WORLDS = (month.COVARIATE, month.CONCEPT)
EXPECTED = {month.COVARIATE.name: "warned", month.CONCEPT.name: "retrained"}


def make_consumer(folder: Path, public: bytes) -> Consumer:
    """A consumer whose model is watched, retrained and delivered."""
    template = template_with_delivery(folder / "delivered", public, port=free_port())
    template = watched.template_watched(
        template, folder / "template",
        production=folder / month.CONCEPT.name / "production", returns=folder / "returns",
    )  # fmt: skip
    write_caller(
        template,
        state=folder / month.CONCEPT.name / "state", reference=folder / "reference" / MODEL,
    )  # fmt: skip
    uv = str(ROOT / "toolkit/bin/uv")
    return build(folder / "consumer", template, scenarios=(), uv=uv)


def begin(folder: Path, consumer: Consumer) -> tuple[Watched, Replay]:
    """Profile the model, and replay the two weeks that both worlds have in common."""
    main, scored = consumer.main, folder / "scored"
    watched.score(consumer, scored)
    watched.command(
        "reference", "--config", str(main / "assay.yaml"), "--model", MODEL,
        "--data", str(scored / "served.parquet"), "--evidence", str(folder / "reference"),
    )  # fmt: skip
    place = folder / "before"
    seen = Watched(
        folder=place,
        config=configured(consumer, place),
        reference=folder / "reference" / MODEL,
    )
    replay = Replay(
        world=month.BEFORE,
        folder=seen.production,
        population=pd.read_parquet(scored / "population.parquet"),
        version=tree_digest(main / "model"),
    )
    say("\nTwo weeks in which nothing changes ...")
    while replay.now + STEP <= month.CHANGE:
        look(seen, replay)
    return seen, replay


def configured(consumer: Consumer, folder: Path) -> Path:
    """The consumer's configuration for another world's production, beside its own."""
    committed = str(folder.with_name(month.CONCEPT.name))
    text = (consumer.main / "assay.yaml").read_text(encoding="utf-8")
    # A look asks the repository around its configuration what was delivered.
    made = consumer.main / f"{folder.name}.yaml"
    made.write_text(text.replace(committed, str(folder)), encoding="utf-8")
    return made


def look(seen: Watched, replay: Replay) -> Look:
    """Let twelve hours pass, and look; say what is new."""
    known = {one.key for one in seen.looks[-1].problems} if seen.looks else set()
    replay.run_to(replay.now + STEP)
    found = seen.look(replay.now)
    for one in found.problems:
        if one.key not in known:
            say(f"  {replay.now:%b %d %H:%M} {one.severity.value}: {one.sentence}")
    return found


def live(folder: Path, consumer: Consumer, world: World, before: tuple[Watched, Replay]) -> Lived:
    """Go on from what was before, to the month's end or to where a retraining is called for."""
    seen, replay = before
    place = folder / world.name
    say(f"\n{world.name}: from {month.CHANGE:%b %d %H:%M} on {world.what} ...")
    seen = seen.copied(place, configured(consumer, place))
    replay = replace(replay, world=world, folder=seen.production, asked=list(replay.asked))
    due = False
    while replay.now < END and not due:
        found = look(seen, replay)
        if found.problems and replay.now > month.CHANGE:
            due = seen.decide(found, consumer.main).due
    say(f"  {replay.now:%b %d %H:%M} retrain decide: {'starts' if due else 'nothing to start'}")
    return Lived(world=world, watched=seen, replay=replay, due=due, found=measured(seen, replay))


def measured(seen: Watched, replay: Replay) -> tuple[Found, ...]:
    """What the looks found and when, beside a weekly threshold on the same month."""
    rest = replace(replay, asked=list(replay.asked), folder=seen.folder / "later")
    while rest.now < END:
        rest.run_to(rest.now + STEP)
    asked = pd.concat(rest.asked, ignore_index=True)
    said = replay.population["score"].to_numpy()[asked["row"]] >= 0.5
    naive = detection.weekly_threshold(
        asked, pd.Series(said == (asked["visits"] > 0)),
        promised=Reference.read(seen.reference).quality["accuracy"],
        margin=watched.MARGIN, until=END,
    )  # fmt: skip
    kinds = (ProblemKind.DRIFT, ProblemKind.QUALITY)
    return (*(detection.found_by_looks(seen.looks, kind, asked) for kind in kinds), naive)


def end_of(lived: Lived) -> str:
    """How a world ended, in a word."""
    warned = detection.first_of(lived.looks, ProblemKind.DRIFT) is not None
    worse = detection.first_of(lived.looks, ProblemKind.QUALITY) is not None
    if any(one.alarms for one in lived.found[:2]):
        return "alarmed before anything changed"
    if lived.due:
        return "detected" if worse else "retrained for no loss"
    if worse:
        return "worse, and nothing done"
    return "warned" if warned else "not noticed"


def alert_rules(folder: Path, consumer: Consumer, harmless: Lived, harmful: Lived) -> Path:
    """Write the alert rules, and have promtool hold them to what the looks of each world found."""
    rules = folder / "assay.rules.yml"
    watched.command("rules", "--config", str(consumer.main / "assay.yaml"), "--output", str(rules))
    say("\nPrometheus:")
    if alarms.missing():
        say(f"  skipped: {alarms.missing()}")
        return rules
    say(f"  check rules: {alarms.promtool('check', 'rules', str(rules)).splitlines()[-1].strip()}")
    for lived, kind in ((harmless, ProblemKind.DRIFT), (harmful, ProblemKind.QUALITY)):
        said = alarms.try_timing(folder / "promtool", rules, lived.looks, kind)
        say(f"  test rules, {lived.world.name}: {said.splitlines()[-1].strip()}")
    return rules


def bring_back(folder: Path, consumer: Consumer, lived: Lived, rules: Path, private: bytes) -> str:
    """Retrain and deliver on a GitHub of this machine, while Prometheus scrapes the controller."""
    moment = detection.moment(lived.looks[-1])
    known = lived.replay.write_feed(folder / "returns" / "returns.csv", list(watched.COLUMNS))
    with mlflow_server(folder / "mlflow") as uri:
        settings = delivering(consumer, folder / "act", uri, private)
        with Harness(settings) as harness:
            looks = lived.watched.evidence(lived.looks[-1])
            at = Delivery(harness=harness, folder=folder, registry=uri, looks=looks)
            with at.controller(), scraping(folder, at, rules) as server:
                if server is not None:
                    show_samples(server, *FIRES)
                say(f"\nRetraining on the {known:,} labels that are known by then ...")
                ended = retrain(at, moment)
                if ended.version is not None:
                    ask_again(consumer, lived, ended.version)
                if server is not None and ended.version is not None:
                    serves = f'{{artifact_digest="{ended.version}"}} > 0'
                    show_samples(server, f"assay_controller_weight{serves}")
    return ended.how


@contextmanager
def scraping(folder: Path, at: Delivery, rules: Path) -> Iterator[alarms.Prometheus | None]:
    """A Prometheus that scrapes the controller; None where this machine has none."""
    if alarms.missing():
        yield None
        return
    exporter = at.metrics_port()
    with alarms.prometheus(
        folder / "prometheus", rules, exporter=exporter, port=free_port()
    ) as server:
        yield server


def show_samples(server: alarms.Prometheus, *expressions: str) -> None:
    """Wait until the server has what is asked for, and print it."""
    for expression in expressions:
        for sample in server.wait_for(expression):
            shown = ", ".join(
                f"{key.strip('_')} {value[:40]}"
                for key, value in sample["metric"].items() if key in SHOWN
            )  # fmt: skip
            say(f"  127.0.0.1:{server.port}: {shown}: {sample['value'][1]}")


def ask_again(consumer: Consumer, lived: Lived, version: str) -> None:
    """Ask the version that serves about somebody whom the drift hit, and say what the old one did.

    Raises NotThereError where another version answers.
    """
    config = load_config(consumer.main / "assay.yaml")
    place = config.delivery.targets[TARGET] if config.delivery else None
    people = lived.replay.population
    hit = people[(people["plan"] == month.HIT) & (people["score"] > SURE)].iloc[0]
    assert isinstance(place, LocalTarget)
    said, share = ask(place.port, hit["input"])
    if said != version:
        raise alarms.NotThereError(f"{said} answers, and not {version}")
    say(f"  {version[:12]} answers {share:.2f} where the old version said {hit['score']:.2f}.")


FIRES = (
    f'assay_monitor_problem{{model="{MODEL}",kind="quality"}}',
    f'assay_monitor_rule_difference{{model="{MODEL}",metric="accuracy"}}',
    'ALERTS{alertname="AssayQuality",alertstate="firing"}',
)
SHOWN = ("__name__", "alertname", "severity", "kind", "subject", "metric", "artifact_digest")
SURE = 0.6

if __name__ == "__main__":
    sys.exit(main())
