"""Which tests share a worker when tests run side by side (``-n 4``), and which come first.

Most of the long tests wait: for a lease to run out, for a deadline, for a cluster. So more of them run at the same
time than there are processors. What is expensive to have twice decides what stays together: a worker makes control
planes, clusters and servers of its own when the first test asks for them. So the tests of a directory that share a
control plane go to one worker, apart for simulated and for real clusters; all others go file by file. The long groups
begin first, or one of them would be what everybody waits for in the end.

The scheduler of pytest-xdist knows tests by their ids alone, hence these tables.
"""

from __future__ import annotations

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.cluster.fixtures import CHOICE
from tests.cluster.tiers import Tier

TOGETHER = ("tests/integration/operators", "tests/integration/faults", "tests/e2e", "tests/integration/views")
"""Directories whose tests share a control plane; the longest first."""

APART = (
    "tests/e2e/test_control_planes.py",
    "tests/e2e/test_new_kind_guide.py",
    "tests/e2e/test_operations_guide.py",
    "tests/integration/faults/test_crash_after_each_write.py",
    "tests/integration/faults/test_killed_parts.py",
    "tests/integration/faults/test_old_news.py",
    "tests/integration/faults/test_runtime_crash_after_each_write.py",
    "tests/integration/operators/test_heartbeats.py",
    "tests/integration/operators/test_shards.py",
)
"""Files in them that have control planes of their own, or take minutes."""

ON_REAL_CLUSTER = " on a real cluster"
NO_CLUSTER = ("tests/unit/", "tests/specification/", "tests/dialect/")

WORKERS_PER_PROCESSOR = 2
MOST_WORKERS = 8
GIBIBYTES_PER_WORKER = 3
"""Two control planes and two clusters with their pods, at worst."""


class GroupScheduling(LoadScopeScheduling):
    """Gives a worker one group of tests after the other, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False
        self._one_cluster = config.stash[CHOICE].tier is Tier.KUBECONFIG

    def _split_scope(self, nodeid: str) -> str:
        if self._one_cluster and not nodeid.startswith(NO_CLUSTER):
            return "cluster"  # a user's cluster is the same for all workers
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    """Whatever ``--dist`` says: other ways would make everything in each worker."""
    return GroupScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    wanted = WORKERS_PER_PROCESSOR * (os.cpu_count() or 1)
    return max(1, min(wanted, MOST_WORKERS, memory // GIBIBYTES_PER_WORKER))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker: puts long groups first."""
    if hasattr(config, "workerinput"):
        slow = {group_of(item.nodeid) for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: _turn(group_of(item.nodeid), slow))


def group_of(nodeid: str) -> str:
    """The tests of one group run in one worker: those of a file, or of a directory of `TOGETHER`."""
    file = nodeid.partition("::")[0]
    directory = next((one for one in TOGETHER if file.startswith(f"{one}/") and file not in APART), None)
    return f"{directory or file}{ON_REAL_CLUSTER if '[real' in nodeid else ''}"


def _turn(group: str, slow: set[str]) -> int:
    together = group.removesuffix(ON_REAL_CLUSTER)
    if together in TOGETHER:
        return TOGETHER.index(together)
    return len(TOGETHER) + (group not in slow)
