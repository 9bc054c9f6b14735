"""Which revision an instance runs, who is advanced, and which revisions are kept."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.workload.definition import needs_advance
from operators.workload.revisions import (
    KEPT,
    ensure_kept,
    is_left_behind,
    revision_number,
    superfluous,
    used_by,
    users_of,
    wanted_revision,
)
from threeport.client import Client
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.controller import Controller
from threeport.resources.workload import revision_name


def definition(generation: int, strategy: str = "Automatic") -> JsonObject:
    metadata = {"name": "shop", "namespace": "team", "uid": "d", "generation": generation}
    return {"metadata": metadata, "spec": {"manifests": [], "rollout": {"strategy": strategy}}}


def instance(told: int | None = None, running: int | None = None, **reference: str) -> JsonObject:
    spec: JsonObject = {"definitionRef": {"name": "shop", **reference}}
    if told is not None:
        spec["definitionRevision"] = told
    status = {} if running is None else {"status": {"definitionGeneration": running}}
    return {"metadata": {"name": "eu", "namespace": "team"}, "spec": spec, **status}


def revisions(*numbers: int) -> list[JsonObject]:
    return [{"metadata": {}, "spec": {"revision": number}} for number in numbers]


@pytest.mark.parametrize(
    ("told", "running", "strategy", "wanted"),
    [
        (None, None, "Automatic", 7),
        (None, 3, "Automatic", 7),
        (4, 3, "Automatic", 4),
        (None, None, "Manual", 7),
        (None, 3, "Manual", 3),
        (5, 3, "Manual", 5),
    ],
)
def test_an_instance_runs_the_revision_that_it_names_or_the_newest_or_stays_where_a_person_decides(
    told: int | None, running: int | None, strategy: str, wanted: int
) -> None:
    assert wanted_revision(instance(told, running), definition(7, strategy)) == wanted


@pytest.mark.parametrize(
    ("told", "running", "strategy", "passed_on", "expected"),
    [
        (9, 9, "Automatic", 7, True),
        (4, 4, "Automatic", 7, True),
        (4, 4, "Automatic", 6, False),
        (4, 4, "Manual", 7, False),
        (7, 4, "Automatic", 7, False),
        (None, 4, "Automatic", 7, False),
    ],
    ids=["of another definition", "by hand", "about to be advanced", "a person decides", "advanced", "told nothing"],
)
def test_an_instance_that_came_to_a_definition_with_another_revision_is_left_behind(
    told: int | None, running: int | None, strategy: str, passed_on: int, expected: bool
) -> None:
    newest = {**definition(7, strategy), "status": {"revision": passed_on}}
    assert is_left_behind(instance(told, running), newest) is expected


class Definitions:
    """An API with one definition, and none of its revisions at first."""

    def __init__(self, definition: JsonObject) -> None:
        self.definition, self.made = definition, list[FrozenJson]()

    async def find(self, *_: object) -> None:
        return None

    async def get(self, *_: object, **__: object) -> JsonObject:
        return self.definition

    async def create(self, body: FrozenJson, _: object) -> None:
        self.made.append(body)


@pytest.mark.parametrize(
    ("strategy", "revision", "noted", "made"),
    [
        ("Manual", 7, 6, [7]),
        ("Manual", 7, None, [7]),
        ("Manual", 7, 7, []),
        ("Manual", 5, 6, []),
        ("Automatic", 7, 6, []),
    ],
)
async def test_what_an_instance_stays_at_is_kept_before_it_is_put_anywhere(
    strategy: str, revision: int, noted: int | None, made: list[int]
) -> None:
    newest = {**definition(7, strategy), "status": {"revision": noted}}
    api = Definitions(newest)
    await ensure_kept(Controller(name="workload", client=cast(Client, api)), newest, revision)
    assert [one["spec"]["revision"] for one in api.made] == made


def test_instances_are_advanced_once_and_those_that_nobody_has_seen_yet_not_at_all() -> None:
    assert needs_advance(instance(6, 6), 7)
    assert not needs_advance(instance(7, 6), 7)
    assert needs_advance(instance(None, 6), 7)
    assert not needs_advance(instance(None, None), 7)


@given(
    st.sets(st.integers(min_value=1, max_value=60)),
    st.sets(st.integers(min_value=1, max_value=60)),
)
def test_the_newest_revisions_and_those_in_use_are_kept_and_no_others(made: set[int], used: set[int]) -> None:
    newest_first = sorted(made, reverse=True)
    leaving = {revision_number(one) for one in superfluous(revisions(*newest_first), used)}
    assert leaving == made - set(newest_first[:KEPT]) - used


def test_a_revision_is_in_use_while_an_instance_runs_it_or_is_told_to() -> None:
    assert used_by([instance(4, 3), instance(None, 5), instance()]) == {3, 4, 5}


def test_the_users_of_a_definition_are_those_that_refer_into_its_namespace() -> None:
    here, elsewhere = instance(), instance(namespace="other")
    assert users_of([here, elsewhere], definition(1)) == [here]


def test_names_of_revisions_differ_by_definition_and_number_and_are_labels() -> None:
    names = {revision_name("x" * 80, uid, number) for uid in ("a", "b") for number in (1, 2, 1000000)}
    assert len(names) == 6
    assert max(map(len, names)) <= 63
    assert revision_name("shop", "a", 3).startswith("shop-3-")
    assert ".-" not in revision_name(f"{'x' * 39}.example", "a", 3)
