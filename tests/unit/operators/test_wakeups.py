"""Which instances are looked at when a runtime becomes Ready, or their definition changes."""

from __future__ import annotations

from typing import Any

import pytest

from operators.workload.wakeups import waits_for_definition, waits_for_runtime
from threeport.common.types import JsonObject

READY_SINCE = "2026-01-01T00:01:00Z"
RUNTIME: JsonObject = {
    "metadata": {"name": "eu"},
    "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": READY_SINCE}]},
}


def instance(
    *,
    created: str = "2026-01-01T00:00:00Z",
    on: str | None = "eu",
    left: str | None = None,
    revision: int | None = None,
    **ready: Any,
) -> JsonObject:
    spec = {"runtimeRef": {"name": on}} if on else {}
    conditions = [{"type": "Ready", **ready}] if ready else []
    status = {"conditions": conditions, "runtime": left, "definitionGeneration": revision}
    return {"metadata": {"name": "shop", "creationTimestamp": created}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (instance(status="False", reason="RuntimeNotReady"), True),
        (instance(status="False", reason="RuntimeNotReady", on=None), True),
        (instance(status="False", reason="RuntimeNotReady", on="us"), False),
        (instance(status="False", reason="ClusterUnreachable", on="us", left="eu"), True),
        (instance(status="True", reason="Healthy"), False),
        (instance(status="False", reason="Degraded"), False),
        (instance(), True),
        (instance(created=READY_SINCE), True),
        (instance(created="2026-01-01T00:01:01Z"), False),
    ],
)
def test_what_may_have_waited_for_the_runtime_is_woken_and_nothing_else(found: JsonObject, expected: bool) -> None:
    assert waits_for_runtime(found, RUNTIME) is expected


def definition(*, strategy: str = "Manual", on_immutable_change: str = "Replace") -> JsonObject:
    return {"spec": {"rollout": {"strategy": strategy}, "onImmutableChange": on_immutable_change}}


@pytest.mark.parametrize(
    ("reason", "revision", "changed", "expected"),
    [
        ("ReferenceNotFound", None, definition(), True),
        ("RevisionNotFound", 3, definition(), True),
        ("InvalidPatch", None, definition(), True),
        ("InvalidPatch", 3, definition(), False),
        ("FieldImmutable", 3, definition(), True),
        ("FieldImmutable", 3, definition(on_immutable_change="Fail"), False),
        ("FieldImmutable", 3, definition(strategy="Automatic"), False),
        ("RuntimeNotReady", None, definition(), False),
        ("Healthy", 3, definition(), False),
    ],
)
def test_what_may_go_on_now_that_its_definition_is_another_is_woken_and_nothing_else(
    reason: str, revision: int | None, changed: JsonObject, expected: bool
) -> None:
    assert waits_for_definition(instance(reason=reason, revision=revision), changed) is expected
