"""The rendering for Argo Rollouts: steps that ask for our verdict, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from assay.config import OnlineMetric, Step, Strategy
from assay.errors import InputError
from assay.rollout.targets.manifests import argo_rollout
from support.clusters import ARGO, CANARY, site


def only(name: str, kind: str) -> Any:
    (found,) = [each for each in ARGO[name] if each["kind"] == kind]
    return found


def test_each_step_waits_for_a_verdict_on_this_version() -> None:
    steps = only("argo-job", "Rollout")["spec"]["strategy"]["canary"]["steps"]
    assert [each["setWeight"] for each in steps[::2]] == [1, 50]
    for place, each in enumerate(steps[1::2]):
        told = {one["name"]: one["value"] for one in each["analysis"]["args"]}
        assert told == {"candidate": CANARY, "step": str(place)}
        assert each["analysis"]["templates"] == [{"templateName": "churn-production"}]


def test_a_job_asks_once_and_is_not_tried_again() -> None:
    (metric,) = only("argo-job", "AnalysisTemplate")["spec"]["metrics"]
    job = metric["provider"]["job"]["spec"]
    assert (metric["count"], job["backoffLimit"]) == (1, 0)
    command = job["template"]["spec"]["containers"][0]["command"]
    assert command[:3] == ["assay", "rollout", "judge"]
    assert command[-4:] == ["--candidate", "{{args.candidate}}", "--step", "{{args.step}}"]
    assert job["activeDeadlineSeconds"] > Strategy().deadline


def test_a_web_request_is_repeated_until_there_is_a_verdict() -> None:
    (metric,) = only("argo-web", "AnalysisTemplate")["spec"]["metrics"]
    assert metric["successCondition"] == 'result == "pass"'
    assert metric["failureCondition"] == 'result == "fail"'
    assert (metric["consecutiveSuccessLimit"], metric["failureLimit"]) == (1, 0)
    assert metric["inconclusiveLimit"] * 10 > Strategy().deadline
    assert "/verdict?candidate={{args.candidate}}" in metric["provider"]["web"]["url"]


def test_argo_owns_the_weights_and_the_autoscaler_the_replicas() -> None:
    rollout = only("argo-job", "Rollout")
    assert "replicas" not in rollout["spec"]
    scaled = only("argo-job", "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == ("Rollout", rollout["metadata"]["name"])
    annotations = only("argo-job", "HTTPRoute")["metadata"]["annotations"]
    assert annotations["assay-ml.github.io/owner"] == "argo-rollouts"
    assert "assay-ml.github.io/route" not in annotations


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Strategy(kind="shadow"), "is rendered for a canary, not for shadow"),
        (Strategy(quality=OnlineMetric(margin=0.01)), r"strategy\.quality needs labels"),
        (Strategy(steps=(Step(weight=0.005),)), r"has whole percents; 0\.005 is none"),
    ],
)
def test_what_it_cannot_do_is_refused(strategy: Strategy, words: str) -> None:
    with pytest.raises(InputError, match=words):
        argo_rollout(site(), strategy, CANARY, toolkit_image="x", provider="job")
