"""Which instances are looked at when a runtime becomes Ready."""

from __future__ import annotations

from typing import Any

import pytest

from operators.workload.wakeups import waits_for_runtime
from threeport.common.types import JsonObject

READY_SINCE = "2026-01-01T00:01:00Z"
RUNTIME: JsonObject = {
    "metadata": {"name": "eu"},
    "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": READY_SINCE}]},
}


def instance(*, created: str = "2026-01-01T00:00:00Z", on: str | None = "eu", **ready: Any) -> JsonObject:
    spec = {"runtimeRef": {"name": on}} if on else {}
    status = {"conditions": [{"type": "Ready", **ready}]} if ready else {}
    return {"metadata": {"name": "shop", "creationTimestamp": created}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (instance(status="False", reason="RuntimeNotReady"), True),
        (instance(status="False", reason="RuntimeNotReady", on=None), True),
        (instance(status="False", reason="RuntimeNotReady", on="us"), False),
        (instance(status="True", reason="Healthy"), False),
        (instance(status="False", reason="Degraded"), False),
        (instance(), True),
        (instance(created=READY_SINCE), True),
        (instance(created="2026-01-01T00:01:01Z"), False),
    ],
)
def test_what_may_have_waited_for_the_runtime_is_woken_and_nothing_else(found: JsonObject, expected: bool) -> None:
    assert waits_for_runtime(found, RUNTIME) is expected
