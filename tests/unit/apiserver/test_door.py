"""The path of the controllers' door, and the leases behind it."""

from __future__ import annotations

import pytest

from threeport.apiserver import identities
from threeport.apiserver.door import Door, LeaseBook, admit_controller, may_be
from threeport.common.errors import Forbidden, NotFound, Unauthorized
from threeport.krm.interfaces import Shard
from threeport.store.records import Fence


class Row:
    """One lease row of a database, and how often it was read."""

    def __init__(self, epoch: int | None) -> None:
        self.epoch = epoch
        self.reads = 0

    async def current_epoch(self, lease: str) -> int | None:
        assert lease == "controllers/workload/1-of-2"
        self.reads += 1
        return self.epoch


def fence(epoch: int) -> Fence:
    return Fence("controllers/workload/1-of-2", epoch)


def test_a_path_behind_the_door_names_controller_shard_and_epoch() -> None:
    found = Door.of("/controllers/workload/1-of-2/7/apis/threeport.io/v1alpha1")
    assert found == Door("workload", Shard(1, 2), fence(7), "/controllers/workload/1-of-2/7")


@pytest.mark.parametrize(
    "path",
    [
        "/apis/threeport.io/v1alpha1/controllers/workload/1-of-2/7",
        "/controllers/workload/1-of-2",
        "/controllers/workload/1-of-2/lease",
        "/controllers/workload/1-of-2/7x/api",
        "/controllers/../1-of-2/7/api",
        "/controllers/Work%6coad/1-of-2/7/api",
    ],
)
def test_other_paths_lead_through_no_door(path: str) -> None:
    assert Door.of(path) is None


@pytest.mark.parametrize("shard", ["2-of-2", "0-of-0", "0-of-1025"])
def test_a_shard_that_cannot_be_is_not_found(shard: str) -> None:
    with pytest.raises(NotFound):
        Door.of(f"/controllers/workload/{shard}/1/api")


async def test_the_epoch_of_the_lease_is_let_in_and_no_other() -> None:
    book = LeaseBook(Row(7))
    door = Door("workload", Shard(1, 2), fence(7), "")
    await admit_controller(identities.controller("workload"), door, book)
    for other in (6, 8):
        with pytest.raises(Unauthorized):
            await admit_controller(
                identities.controller("workload"), Door("workload", Shard(1, 2), fence(other), ""), book
            )


async def test_a_lease_that_nobody_holds_lets_nobody_in() -> None:
    assert not await LeaseBook(Row(None)).is_current(fence(7))


async def test_a_current_lease_is_read_once_and_a_new_epoch_is_known_at_once() -> None:
    row = Row(7)
    book = LeaseBook(row)
    assert await book.is_current(fence(7))
    assert await book.is_current(fence(7))
    assert row.reads == 1
    row.epoch = 8
    assert await book.is_current(fence(8))
    assert not await book.is_current(fence(7))


async def test_a_lease_that_was_given_back_is_read_again() -> None:
    row = Row(7)
    book = LeaseBook(row)
    assert await book.is_current(fence(7))
    row.epoch = None
    book.forget(fence(7).lease)
    assert not await book.is_current(fence(7))


def test_only_the_controller_itself_goes_through_its_door() -> None:
    may_be(identities.controller("workload"), "workload")
    for other in (identities.controller("other"), identities.admin(), identities.agent("workload")):
        with pytest.raises(Forbidden):
            may_be(other, "workload")
