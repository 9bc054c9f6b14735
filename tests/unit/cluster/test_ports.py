from __future__ import annotations

import socket

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.ports import CANDIDATES, LOOPBACK, choose, is_free


def test_each_name_gets_a_port_of_its_own() -> None:
    chosen = choose(["etcd", "api"], taken=())
    assert set(chosen) == {"etcd", "api"}
    assert len(set(chosen.values())) == 2
    assert set(chosen.values()) <= set(CANDIDATES)


def test_a_port_promised_to_another_cluster_is_not_given() -> None:
    allowed = next(port for port in CANDIDATES if is_free(port))
    assert choose(["api"], taken=set(CANDIDATES) - {allowed}) == {"api": allowed}


def test_a_port_in_use_is_not_given() -> None:
    with socket.socket() as server:
        port = next(port for port in CANDIDATES if is_free(port))
        server.bind((LOOPBACK, port))
        server.listen()
        with pytest.raises(ClusterError, match="No free port"):
            choose(["api"], taken=set(CANDIDATES) - {port})
