"""What of an object a change may touch."""

from __future__ import annotations

from typing import Any

import pytest

from threeport.krm.interfaces import Caller, Identity
from threeport.krm.paths import Target
from threeport.krm.writing.confinement import confined, keep_controllers_finalizers
from threeport.resources.kind import Kind, finalizer_of

THINGS = Kind(kind="Thing", plural="things", singular="thing", has_status=True)
USER = Caller(Identity("ada"))


def thing(spec: int, status: int, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a", **metadata}, "spec": {"n": spec}, "status": {"n": status}}


@pytest.mark.parametrize(
    ("subresource", "merged_status", "expected"),
    [("", False, thing(2, 1)), ("", True, thing(2, 2)), ("status", False, thing(1, 2)), ("status", True, thing(1, 2))],
)
def test_a_path_changes_the_status_or_all_but_the_status(
    subresource: str, *, merged_status: bool, expected: dict[str, Any]
) -> None:
    target = Target(THINGS, "shop", "a", subresource)
    assert confined(target, thing(2, 2), thing(1, 1), merged_status=merged_status) == expected


def test_a_namespace_is_held_until_its_content_is_gone() -> None:
    namespaces = Kind(kind="Namespace", plural="namespaces", singular="namespace", group="", namespaced=False)
    old = {"metadata": {"name": "a"}, "spec": {"finalizers": ["kubernetes"]}}
    new: dict[str, Any] = {"metadata": {"name": "a"}, "spec": {}}
    assert confined(Target(namespaces, "", "a"), new, old, merged_status=False)["spec"] == old["spec"]


@pytest.mark.parametrize(
    ("caller", "kept"),
    [(USER, ["x/y", finalizer_of("workload")]), (Caller(Identity("controller:workload"), "workload"), ["x/y"])],
)
def test_nobody_but_a_controller_takes_its_finalizer_away_by_leaving_it_out(caller: Caller, kept: list[str]) -> None:
    new = thing(1, 1, finalizers=["x/y"])
    keep_controllers_finalizers(new, thing(1, 1, finalizers=[finalizer_of("workload"), "z/z"]), caller)
    assert new["metadata"]["finalizers"] == kept
