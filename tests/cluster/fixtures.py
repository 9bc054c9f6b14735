"""The pytest plugin that gives tests a real Kubernetes: `cluster` and `clusters`.

A cluster lives as long as the run and is shared by its tests: a test makes its
own namespaces and expects others to be there. Every test that uses one of the
fixtures carries the mark `cluster`, so that `-m "not cluster"` leaves them out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from tests.cluster import lifecycle
from tests.cluster.errors import ClusterError, ClusterMissingError
from tests.cluster.provision import Cluster, Provider
from tests.cluster.tiers import Choice, Tier, choose

FIXTURES = ("cluster", "clusters")
CHOICE = pytest.StashKey[Choice]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--cluster`."""
    tiers = [str(tier) for tier in Tier]
    text = "the Kubernetes that tests run on (default: the first that can be had)"
    parser.getgroup("threeport").addoption("--cluster", choices=tiers, default=None, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark and settle on a tier."""
    config.addinivalue_line("markers", "cluster: runs on a real Kubernetes API (added by the fixtures themselves)")
    requested = config.getoption("--cluster")
    config.stash[CHOICE] = choose(Tier(requested) if requested else None)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which Kubernetes the run uses, or how to get one."""
    choice = config.stash[CHOICE]
    return f"kubernetes: {choice.tier or 'none'}: {choice.description}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that use a cluster."""
    if any(name in FIXTURES for name in getattr(item, "fixturenames", ())):
        item.add_marker("cluster")


@pytest.fixture(scope="session")
def clusters(request: pytest.FixtureRequest) -> Iterator[Callable[[int], list[Cluster]]]:
    """A function: `clusters(2)` gives two clusters, the first of which is `cluster`."""
    choice = request.config.stash[CHOICE]
    if choice.tier is None:
        _refuse(choice.description)
    lifecycle.sweep()
    provider = Provider(choice.tier)

    def provide(count: int) -> list[Cluster]:
        try:
            return provider.clusters(count)
        except ClusterMissingError as error:
            _refuse(str(error))
        except ClusterError as error:
            pytest.fail(str(error), pytrace=False)

    try:
        yield provide
    finally:
        provider.close()


@pytest.fixture(scope="session")
def cluster(clusters: Callable[[int], list[Cluster]]) -> Cluster:
    """A Kubernetes cluster, with its administrator's kubeconfig."""
    return clusters(1)[0]


def _refuse(reason: str) -> NoReturn:
    """Without a cluster a test proves nothing: a failure in CI, a skip with the remedy elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(f"No Kubernetes for the tests. {reason}", pytrace=False)
    pytest.skip(reason)
