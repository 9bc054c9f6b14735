"""Annotations by which people and controllers tell a controller something that is not part of a spec."""

from __future__ import annotations

from typing import Final

WAKE: Final = "threeport.io/wake"
"""Set to any new value, it makes the controller of an object look at it now: what it waited for is there."""

CHANGE_CAUSE: Final = "kubernetes.io/change-cause"
"""Why somebody changed an object, in their words, as with Deployments. Revisions keep it."""

ABANDON: Final = "threeport.io/abandon"
"""``true`` on an object that is deleted: what it has put into a cluster stays there, and is forgotten."""
