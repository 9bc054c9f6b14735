"""The port that a request for a connection names."""

from __future__ import annotations

import pytest

from threeport.apiserver.subresources.placement import Placement
from threeport.apiserver.subresources.port_forward import choose
from threeport.common.errors import BadRequest
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster


@pytest.mark.parametrize("port", ["", "0", "65536", "-1", "8o", "1.5", "٣", "000001" + "9" * 5, "1" + "0" * 5000])
async def test_what_is_no_port_is_refused_before_the_cluster_is_asked(port: str) -> None:
    access = ClusterAccess(endpoint="https://127.0.0.1:1")
    instance = {"metadata": {"name": "web", "uid": "u"}}
    cluster = Cluster(access)
    with pytest.raises(BadRequest, match="not a number from 1 to 65535"):
        await choose(Placement(instance, "runtime", False, access), cluster, {"port": port})
    await cluster.close()
