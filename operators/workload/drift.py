"""Drift: what others changed or removed in the cluster, and what an instance wants done about it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Final

from operators.workload.plan import Plan
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import condition, drop_condition, set_condition

INTERVAL: Final = 300.0
"""Seconds between looks at the cluster of an instance that says nothing about it."""
SHORTEST_INTERVAL: Final = 10.0
LONGEST_SLEEP: Final = 60.0
"""Seconds until a change of the interval is noticed."""

DRIFTED: Final = "Drifted"
CORRECT, WARN, IGNORE = "Correct", "Warn", "Ignore"

_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_NAMED: Final = 5
"""How many objects, and fields of each, a message names."""


def policy_of(instance: FrozenJson) -> str:
    """What the instance wants done about drift."""
    return str(instance["spec"].get("driftPolicy") or CORRECT)


def interval_of(instance: FrozenJson) -> float:
    """Seconds between two looks at the cluster of the instance."""
    text = (instance.get("spec") or {}).get("driftInterval")
    return max(seconds_of(text) if text else INTERVAL, SHORTEST_INTERVAL)


def seconds_of(duration: str) -> float:
    """Seconds of a duration as ``90s``, ``5m`` or ``1h``."""
    return float(int(duration[:-1]) * _UNITS[duration[-1]])


def under_policy(plan: Plan, policy: str) -> Plan:
    """The plan, without the correction of drift unless the policy asks for it."""
    if policy == CORRECT:
        return plan
    return replace(plan, apply=[manifest for manifest in plan.apply if plan.identity(manifest) not in plan.drifted])


def describe(plan: Plan) -> str:
    """What drifted, as ``Deployment n/web: spec.replicas; ConfigMap n/settings: was removed``; empty if nothing."""
    parts = [f"{identity}: {', '.join(fields[:_NAMED]) or 'was removed'}" for identity, fields in plan.drifted.items()]
    more = len(parts) - _NAMED
    return "; ".join(parts[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


def put_drift(status: JsonObject, plan: Plan, policy: str) -> bool:
    """Keeps the condition ``Drifted``, which stands as long as nobody puts the drift right. Whether it is news."""
    if policy != WARN or not plan.drifted:
        drop_condition(status, DRIFTED)
        return False
    former = condition(status, DRIFTED)
    message = f"Changed by others, and left so: {describe(plan)}"
    set_condition(status, DRIFTED, "True", reason="ChangedByOthers", message=message)
    return former is None or former.get("message") != message


class Pace:
    """When to look at the cluster of one instance next: after its interval, or a little earlier the first time."""

    def __init__(self) -> None:
        self._begun = asyncio.get_running_loop().time()
        self._share = random.uniform(0.5, 1.0)  # instances that were made together are not looked at together
        self._retry: float | None = None

    def left(self, instance: FrozenJson) -> float:
        """Seconds that are left, by the interval that the instance has now."""
        wanted = self._retry if self._retry is not None else interval_of(instance) * self._share
        return self._begun + wanted - asyncio.get_running_loop().time()

    def looked(self, *, again: float | None = None) -> None:
        """There was a look just now; the next one in `again` seconds, or after the interval."""
        self._begun, self._share, self._retry = asyncio.get_running_loop().time(), 1.0, again
