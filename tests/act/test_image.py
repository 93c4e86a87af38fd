"""A merge whose container image is pushed to a real registry, and asked for by its digest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.rollout.controller.intake import checked
from support.container_registry import (
    CREDENTIALS,
    PASSWORD,
    container_registry,
    image_engine,
    image_parts,
)

from .conftest import StartGated
from .delivering import SECRETS, deliver, delivering, intents, logs, rules
from .gating import BETTER

pytestmark = [pytest.mark.act, pytest.mark.timeout(1500), pytest.mark.xdist_group("docker")]


def test_the_image_of_a_merge_is_pushed_and_its_digest_stands_in_the_intent(
    start_gated: StartGated, mlflow: str, tmp_path: Path
) -> None:
    with container_registry(tmp_path / "registry") as registry, image_engine() as host:
        base, lock = image_parts(host)
        files = delivering(
            {"production": 8080}, deliver="wait-minutes: 0", rollout="wait-minutes: 0"
        )
        before = "delivery: {targets: [production]}"
        after = f"delivery: {{targets: [production], image: {{base: '{base}', lock: model.lock}}}}"
        assert before in str(files["assay.yaml"])
        files["assay.yaml"] = str(files["assay.yaml"]).replace(before, after)
        files["model.lock"] = lock
        gated = start_gated(
            files,
            secrets={**SECRETS, "ASSAY_IMAGE_REGISTRY": CREDENTIALS},
            variables={
                "MLFLOW_TRACKING_URI": mlflow,
                "ASSAY_IMAGE": f"{registry.address}/octo/{{model}}",
            },
            env={"DOCKER_HOST": host},
            timeout=900.0,
        )
        start = gated.harness.remote.commit_of("main")
        gated.consumer.commit({"skill.txt": BETTER})
        gated.harness.fetch()

        run = deliver(gated, start)
        assert run.result == "success", logs(run)
        pushing = run.job("Image of toy").log
        assert "pushed; artifact digest" in pushing
        (signed,) = intents(gated)
        intent = checked(signed, rules(), datetime.now(UTC))
        digest, _ = registry.manifest("octo/toy", str(intent.artifact_digest))
        assert intent.image == f"{registry.address}/octo/toy@{digest}"
        labels = registry.labels("octo/toy", digest)
        assert labels["ml.assay.artifact-digest"] == intent.artifact_digest
        assert labels["org.opencontainers.image.source"] == "https://github.com/octo/toy"
        assert PASSWORD not in logs(run)
