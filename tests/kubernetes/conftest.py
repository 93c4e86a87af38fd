"""One control plane for all of these tests; each test has a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from support.cluster_statuses import Cluster
from support.control_plane import ROOT, ControlPlane, control_plane

_NUMBERS = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.kubernetes)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("control-plane")) as made:
        yield made


def documented_role() -> list[dict[str, object]]:
    """The role of the controller's service account, as docs/kubernetes.md prints it."""
    page = (ROOT / "docs" / "kubernetes.md").read_text()
    text = page.split("```yaml\n# The controller's rights", 1)[1].split("```", 1)[0]
    return [each for each in yaml.safe_load_all(text.split("\n", 1)[1]) if each]


@pytest.fixture
def cluster(plane: ControlPlane) -> Cluster:
    """A namespace with the controller's service account, and no more rights than documented."""
    name = f"assay-{next(_NUMBERS)}"
    owner = plane.client()
    core = client.CoreV1Api(owner)
    core.create_namespace({"metadata": {"name": name}})
    rights = client.RbacAuthorizationV1Api(owner)
    for each in documented_role():
        each["metadata"]["namespace"] = name  # type: ignore[index]
        if each["kind"] == "ServiceAccount":
            core.create_namespaced_service_account(name, each)
        elif each["kind"] == "Role":
            rights.create_namespaced_role(name, each)
        else:
            rights.create_namespaced_role_binding(name, each)
    made = core.create_namespaced_service_account_token(
        "assay-controller", name, {"spec": {"expirationSeconds": 3600}}
    )
    return Cluster(plane=plane, namespace=name, token=made.status.token)
