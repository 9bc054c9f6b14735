"""The object that tells the agent of an instance, in clusters whose kind for it is of another version of Threeport."""

from __future__ import annotations

from typing import cast

import pytest

from operators.workload.agent_object import tell_agent
from operators.workload.placement import Place
from operators.workload.rendering import Desired
from threeport.common.types import FrozenJson
from threeport.controller.cycle import Waiting
from threeport.kube.cluster import Cluster
from threeport.kube.errors import Rejected
from threeport.kube.manifest import prepared

INSTANCE = {"metadata": {"namespace": "n", "name": "i", "uid": "u", "generation": 1}}
DESIRED = Desired(manifests=[], unknown=[], namespace=None, digest="d")


class Former:
    """A cluster whose kind lacks a field."""

    async def get(self, *_: object) -> None:
        return None

    async def apply(self, manifest: FrozenJson) -> None:
        if manifest["kind"] == "ThreeportWorkload":
            raise Rejected("ThreeportWorkload i-u is not accepted: .spec.x: field not declared in schema")


@pytest.mark.parametrize("is_new", [True, False])
async def test_a_kind_that_is_not_renewed_yet_is_waited_for(is_new: bool) -> None:
    place = Place("r", cast(Cluster, Former()))
    with pytest.raises(Waiting, match="field not declared") as raised:
        await tell_agent(place, INSTANCE, DESIRED, is_new=is_new)
    assert raised.value.longest <= 60


class Empty:
    """A cluster in which nothing is, that keeps what is applied."""

    def __init__(self) -> None:
        self.applied: list[FrozenJson] = []

    async def get(self, *_: object) -> None:
        return None

    async def apply(self, manifest: FrozenJson) -> None:
        self.applied.append(manifest)


async def test_the_agent_is_told_by_what_it_knows_the_newest_of_each_object() -> None:
    cluster, manifest = Empty(), prepared({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    desired = Desired(manifests=[manifest], unknown=[], namespace=None, digest="d")
    await tell_agent(Place("r", cast(Cluster, cluster)), INSTANCE, desired, is_new=True)
    (resource,) = cluster.applied[-1]["spec"]["resources"]
    assert resource["digest"] == manifest["metadata"]["annotations"]["threeport.io/applied"]
    assert "applied" not in resource, "that is said of Jobs that Kubernetes removes"
