"""What has converged is left alone: another look at it writes nothing, neither in the API nor in the cluster."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter

import pytest

from tests.cluster.provision import Cluster as Kubernetes
from tests.fixtures.control_plane import WholeControlPlane
from tests.fixtures.manifests import DEPLOYMENT, SERVICE, config_map
from tests.integration.faults.conftest import Site
from tests.integration.faults.team import INSTANCE, Team

QUIET = 3.0
"""Seconds during which nothing may be written after everybody has looked again."""

APPLIED = re.compile(r'^apiserver_request_total\{.*resource="([^"]+)".*verb="(APPLY)".*\} (\d+)$')
"""Server-side apply is ours alone in these clusters; other verbs are used by Kubernetes' own controllers, too."""


async def calm(whole: WholeControlPlane, team: Team, kubernetes: Kubernetes | None) -> dict[str, object]:
    """All revisions and all counts of writes, when they have stayed the same for two seconds."""
    former: dict[str, object] = {}

    async def look() -> bool:
        nonlocal former
        await asyncio.sleep(2)
        seen, former = former, await state(whole, team, kubernetes)
        return seen == former

    await team.until(look)
    return former


async def state(whole: WholeControlPlane, team: Team, kubernetes: Kubernetes | None) -> dict[str, object]:
    """All revisions, and how often something was written, at the API and at the cluster."""
    return {**await team.revisions(), **whole.writes(), **(applied(kubernetes) if kubernetes else {})}


def applied(kubernetes: Kubernetes) -> dict[str, int]:
    """How often objects were applied in a real cluster, whether that changed them or not."""
    found: Counter[str] = Counter()
    for line in kubernetes.kubectl("get", "--raw", "/metrics").splitlines():
        if match := APPLIED.match(line):
            found[f"cluster {match[2]} {match[1]}"] += int(match[3])
    assert found, "no APPLY is counted, though our objects are applied"
    return dict(found)


async def stays(whole: WholeControlPlane, team: Team, kubernetes: Kubernetes | None, wanted: dict[str, object]) -> None:
    """Fails if anything is written for some seconds."""
    until = time.monotonic() + QUIET
    while time.monotonic() < until:
        seen = await state(whole, team, kubernetes)
        assert changes(wanted, seen) == {}
        await asyncio.sleep(0.2)


def changes(before: dict[str, object], after: dict[str, object]) -> dict[str, object]:
    """What differs: before and after."""
    names = sorted(set(before) | set(after))
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


async def converged(team: Team) -> None:
    """A Ready workload."""
    await team.apply("calm", [config_map("settings", "red"), SERVICE, DEPLOYMENT])
    await team.ready("calm")


@pytest.mark.parametrize("part", ["controller-workload", "controller-kubernetes-runtime", "agent"])
async def test_a_part_that_starts_again_writes_nothing_and_repeats_no_event(
    whole: WholeControlPlane, team: Team, site: Site, part: str
) -> None:
    await converged(team)
    before = await calm(whole, team, site.kubernetes)
    component = f"agent-{site.runtime}" if part == "agent" else part
    offset, requests = len(whole.log_of(component)), len(whole.log_of("api"))
    former = whole.kill(component)

    def has_looked() -> bool:
        said, asked = whole.log_of(component)[offset:], whole.log_of("api")[requests:]
        return {
            "controller-workload": f"WorkloadInstance {team.namespace}/calm: nothing to apply" in said,
            "controller-kubernetes-runtime": f"KubernetesRuntimeInstance {site.runtime}: is reachable" in said,
            "agent": _was_asked(asked, f"agent:{site.runtime}", "workloadreports"),
        }[part]

    async def is_through() -> bool:
        return whole.is_back(component, former) and has_looked()

    await team.until(is_through)
    await stays(whole, team, site.kubernetes, before)


def _was_asked(log: str, caller: str, resource: str) -> bool:
    """Whether the API has answered a request of this caller about a resource."""
    requests = [json.loads(line) for line in log.splitlines() if line.startswith("{") and line.endswith("}")]
    return any(one.get("caller") == caller and resource in one["path"] for one in requests)


async def test_a_second_reconcile_of_a_converged_workload_writes_no_more_than_that_it_was_asked_for(
    whole: WholeControlPlane, team: Team, site: Site
) -> None:
    await converged(team)
    before = await calm(whole, team, site.kubernetes)
    offset = len(whole.log_of("controller-workload"))
    await team.client.patch(INSTANCE, "calm", team.namespace, {"metadata": {"annotations": {"threeport.io/wake": "x"}}})

    async def has_looked() -> bool:
        said = whole.log_of("controller-workload")[offset:]
        return f"WorkloadInstance {team.namespace}/calm: nothing to apply" in said

    await team.until(has_looked)
    after = await calm(whole, team, site.kubernetes)
    # The call itself, and kopf's note that it was answered.
    writes = "patch workloadinstances.threeport.io"
    assert set(changes(before, after)) == {f"API WorkloadInstance {team.namespace}/calm", writes}
    assert float(str(after[writes])) - float(str(before[writes])) == 2
