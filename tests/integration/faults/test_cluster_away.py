"""A cluster that does not answer for a while: it is said, others are not slowed, nothing is deleted, and it heals."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.control_plane import WholeControlPlane
from tests.fixtures.link import Link, LinkState
from tests.fixtures.manifests import DEPLOYMENT, SERVICE, config_map
from tests.integration.faults.conftest import Site, kubeconfig_through
from tests.integration.faults.team import INSTANCE, NAMESPACE, RUNTIME, WORKLOAD, Team
from threeport.kube.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

HEALS_WITHIN = 60.0
"""Seconds from the return of a cluster until all is well again."""


@pytest.fixture
async def linked(whole: WholeControlPlane, site: Site, link: Link, tmp_path: Path) -> AsyncIterator[Team]:
    """A team whose runtime is the cluster of `site`, reached by way of a link that a test may break."""
    name = f"linked-{uuid.uuid4().hex[:6]}"
    whole.tptctl.ok("runtime", "add", name, "--kubeconfig", str(kubeconfig_through(link, site.access, tmp_path)))
    made = Team(whole.client, f"team-{uuid.uuid4().hex[:6]}", name, Cluster(site.access))
    await whole.client.create({"metadata": {"name": made.namespace}}, NAMESPACE)
    yield made
    link.become(LinkState.OPEN)
    for found in (await whole.client.list(WORKLOAD, made.namespace)).items:
        await made.delete(found["metadata"]["name"])
        await made.gone(found["metadata"]["name"])
    # Without this the agent would be taken out of a cluster that is another runtime, too.
    abandon = {"metadata": {"annotations": {"threeport.io/abandon": "true"}}}
    await whole.client.patch(RUNTIME, name, None, abandon)
    await whole.client.delete(RUNTIME, name)
    await made.cluster.close()


@pytest.mark.parametrize("state", [LinkState.CUT, LinkState.SILENT], ids=["refuses", "never-answers"])
async def test_a_cluster_that_is_away_is_said_to_be_and_heals(
    whole: WholeControlPlane, linked: Team, team: Team, link: Link, state: LinkState
) -> None:
    await linked.apply("app", [config_map("settings", "red"), SERVICE, DEPLOYMENT])
    instance_uid = (await linked.ready("app"))["metadata"]["uid"]
    uid = (await linked.ready("app", INSTANCE))["metadata"]["uid"]
    before = {one["metadata"]["uid"] for one in await linked.labelled(uid)}
    link.become(state)
    await linked.apply("app", [config_map("settings", "blue"), SERVICE, DEPLOYMENT])
    assert linked.runtime
    message = await linked.says(INSTANCE, "app", "ClusterUnreachable", seconds=90)
    assert "cannot be reached" in message

    begun = time.monotonic()
    await team.apply("other", [config_map("settings", "red")])
    await team.ready("other", seconds=30)
    assert time.monotonic() - begun < 15

    assert "cannot be reached" in await linked.says(
        RUNTIME, linked.runtime, "ClusterUnreachable", of="Reachable", seconds=120
    )
    assert before <= {one["metadata"]["uid"] for one in await linked.labelled(uid)}
    link.become(LinkState.OPEN)
    await linked.ready(linked.runtime, RUNTIME, seconds=HEALS_WITHIN)
    workload = await linked.ready("app", seconds=HEALS_WITHIN)
    assert workload["metadata"]["uid"] == instance_uid
    found = await linked.labelled(uid)
    assert before <= {one["metadata"]["uid"] for one in found}
    assert [one["data"] for one in found if one["kind"] == "ConfigMap"] == [{"colour": "blue"}]


async def test_a_deletion_waits_for_a_cluster_that_is_away(linked: Team, link: Link) -> None:
    await linked.apply("app", [config_map("settings", "red"), SERVICE])
    await linked.ready("app")
    uid = (await linked.ready("app", INSTANCE))["metadata"]["uid"]
    before = {one["metadata"]["uid"] for one in await linked.labelled(uid)}
    link.become(LinkState.CUT)
    await linked.delete("app")
    message = await linked.says(INSTANCE, "app", "ClusterUnreachable", seconds=90)
    assert "cannot be taken out" in message
    assert linked.runtime in message
    assert {one["metadata"]["uid"] for one in await linked.labelled(uid)} == before
    assert await linked.find(WORKLOAD, "app") is not None
    link.become(LinkState.OPEN)
    await linked.gone("app", seconds=HEALS_WITHIN)
    assert await linked.labelled(uid) == []
