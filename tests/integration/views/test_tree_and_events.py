"""``tptctl tree``, ``events`` and ``describe``, on a simulated and on a real cluster."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.fixtures.control_plane import until
from tests.integration.views.conftest import Team

MISSING = "registry.invalid/shop:1"
"""An image that no registry can have: the simulated kubelets of both kinds of cluster cannot pull it."""


def _deployment(name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": "main", "image": image}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.cluster)])
def runtime(request: pytest.FixtureRequest) -> str:
    """The runtime ``local``, or the one on the real cluster."""
    return "local" if request.param == "simulated" else str(request.getfixturevalue("real_runtime"))


async def test_the_tree_shows_trouble_first_down_to_the_pod_and_says_what_it_is(team: Team, runtime: str) -> None:
    good, bad = _deployment("good", "example.org/good:1"), _deployment("bad", MISSING)
    team.deploy("shop", [good, bad], runtime=runtime, ready=False)

    async def explained() -> list[str] | None:
        lines = team.ok("tree", "workload", "shop").splitlines()
        told = [line for line in lines if "ImagePull" in line and "Deployment/bad" in line]
        return lines if told and any("Pod/good" in line and "Healthy" in line for line in lines) else None

    lines = await until(explained, seconds=60, why=lambda: team.ok("tree", "workload", "shop"))
    names = [line.lstrip("├└│─ ").split()[0] for line in lines]
    assert names[:3] == ["Workload/shop", "WorkloadInstance/shop", "Deployment/bad"]
    assert names[3].startswith("Pod/bad-")
    assert "Down" in lines[3]
    assert "ImagePull" in lines[3]
    assert {"WorkloadDefinition/shop", f"KubernetesRuntimeInstance/{runtime}", "Deployment/good"} <= set(names)
    place = next(line for line in lines if "KubernetesRuntimeInstance" in line)
    assert ("simulated" in place) == (runtime == "local")
    of_cluster = team.whole.tptctl.ok("tree", "runtime", runtime)
    assert f"WorkloadInstance/{team.namespace}/shop" in of_cluster


async def test_events_of_the_api_and_of_the_cluster_come_together(team: Team, runtime: str) -> None:
    team.deploy("shop", [_deployment("bad", MISSING)], runtime=runtime, ready=False)

    async def both() -> str | None:
        out = team.ok("events", "workload/shop")
        return out if "WorkloadDefinition/shop" in out and "Pod/bad-" in out else None

    out = await until(both, seconds=60, why=lambda: team.ok("events"))
    header, *lines = out.splitlines()
    assert header.split()[:2] == ["LAST", "SEEN"]
    assert any("Warning" in line and f" {runtime} " in line for line in lines)
    assert team.ok("events", "-A").splitlines()[0].startswith("NAMESPACE")
    described = team.ok("describe", "workload", "shop")
    for part in ("Conditions:", f"Seen on {runtime}", "Deployment/bad", f"Events on {runtime}:", "Events:"):
        assert part in described


async def test_following_events_shows_what_happens_next(team: Team, runtime: str) -> None:
    command = team.whole.tptctl.start("events", "-f", "-n", team.namespace)
    seen: list[str] = []
    assert command.stdout is not None
    reader = threading.Thread(target=lambda: seen.extend(command.stdout or ()), daemon=True)
    reader.start()
    try:
        team.deploy("shop", [_deployment("good", "example.org/good:1")], runtime=runtime)

        async def told() -> bool:
            return any("Workload/shop" in line for line in seen) and any("Pod/good-" in line for line in seen)

        await until(told, seconds=30, why=lambda: seen)
    finally:
        command.terminate()
        reader.join(10)
        _, err = command.communicate(timeout=10)
    assert "Traceback" not in err
