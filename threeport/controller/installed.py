"""Which controllers there are here: those of this project, and those that other packages add.

Apart from the rest, since whoever starts controllers as processes needs no more than their names.
"""

from __future__ import annotations

from importlib.metadata import EntryPoints, entry_points
from typing import Final

ENTRY_POINTS: Final = "threeport.controllers"
"""Other packages add controllers by an entry point of this group: its name is the controller's, its value a module."""

OURS: Final = ("workload", "kubernetes-runtime")


def added_controllers() -> EntryPoints:
    """The entry points of controllers of other packages."""
    return entry_points(group=ENTRY_POINTS)


def installed_controllers() -> tuple[str, ...]:
    """The names of all controllers, ours first."""
    return (*OURS, *sorted(added_controllers().names - set(OURS)))
