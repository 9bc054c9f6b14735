"""Which tests share a worker when tests run side by side (``-n 4``), and which come first.

Most of the long tests wait: for a lease to run out, for a deadline, for a cluster. So more of them run at the same
time than there are processors. What is expensive to have twice decides what stays together: a worker makes control
planes, clusters and servers of its own when the first test asks for them. So the tests of one control plane go to one
worker, apart for simulated and for real clusters; all others go file by file. Groups with long tests begin first.
"""

from __future__ import annotations

import os

import pytest

from tests.cluster.fixtures import CHOICE
from tests.cluster.tiers import Tier

CONTROL_PLANES = ("whole", "control_plane", "shared")
"""The fixtures that are a control plane for the session."""

WORKERS_PER_PROCESSOR = 2
MOST_WORKERS = 8
GIBIBYTES_PER_WORKER = 3
"""Two control planes and two clusters with their pods, at worst."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    wanted = WORKERS_PER_PROCESSOR * (os.cpu_count() or 1)
    return max(1, min(wanted, MOST_WORKERS, memory // GIBIBYTES_PER_WORKER))


@pytest.hookimpl(tryfirst=True)  # the worker makes the groups part of the ids in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker: says to which group each test belongs, unless it says so itself, and puts long groups first."""
    if not hasattr(config, "workerinput"):
        return
    one_for_all = config.stash[CHOICE].tier is Tier.KUBECONFIG
    groups = {item: _group_of(item, one_cluster_for_all=one_for_all) for item in items}
    long = {group for item, group in groups.items() if item.get_closest_marker("slow")}
    for item, group in groups.items():
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: groups[item] not in long)


def _group_of(item: pytest.Item, *, one_cluster_for_all: bool) -> str:
    if mark := item.get_closest_marker("xdist_group"):
        return str(mark.args[0])
    real = item.get_closest_marker("cluster") is not None
    if real and one_cluster_for_all:
        return "cluster"  # a user's cluster is the same for all workers
    used = next((name for name in CONTROL_PLANES if name in getattr(item, "fixturenames", ())), None)
    place = used or item.location[0].removeprefix("tests/").removesuffix(".py")
    return f"{place}-real" if real else place
