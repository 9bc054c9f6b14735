"""A tree of objects: trouble first, drawn with the health and the message of each beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import click

from threeport.cli.waiting import condition
from threeport.common.types import FrozenJson

SEVERITY: Final = {"Healthy": 0, "Ready": 0, "Progressing": 1, "Unknown": 2, "NotReady": 3, "Degraded": 3, "Down": 4}
"""From what needs no attention to what needs it first."""

COLORS: Final = ("green", "cyan", "yellow", "yellow", "red")
"""By severity."""

UNICODE: Final = ("├── ", "└── ", "│   ", "    ")
ASCII: Final = ("|-- ", "`-- ", "|   ", "    ")


@dataclass(slots=True)
class Node:
    """One line of the tree, and what is below it."""

    name: str
    health: str = ""
    detail: str = ""
    """A few words beside the health: ready counts, where it runs."""
    message: str = ""
    children: list[Node] = field(default_factory=list)

    @property
    def severity(self) -> int:
        """The worst of it and what is below."""
        return max([SEVERITY.get(self.health, 2 if self.health else 0), *(child.severity for child in self.children)])


def node_of(obj: FrozenJson, *, detail: str = "") -> Node:
    """A node for an object of the API: its health, or else whether it is ready."""
    status = obj.get("status") or {}
    ready = condition(obj, "Ready") or {}
    is_ready = ready.get("status") == "True"
    health = status.get("health") or ""
    if not health or (health == "Healthy" and not is_ready):
        health = "Ready" if is_ready else "NotReady" if ready else "Unknown"
    if health == "NotReady" and ready.get("reason") in ("Progressing", "Deleting", "Pending"):
        health = "Progressing"
    reason = ready.get("reason") if ready.get("reason") != health else ""
    message = "" if is_ready else ": ".join(part for part in (reason, ready.get("message")) if part)
    if obj["metadata"].get("deletionTimestamp"):
        detail = " ".join(part for part in (detail, "being deleted") if part)
    return Node(f"{obj['kind']}/{obj['metadata']['name']}", health, detail, message)


def lines(root: Node, *, color: bool, unicode: bool) -> list[str]:
    """The tree as lines of text in columns."""
    drawn = list(_drawn(root, "", "", UNICODE if unicode else ASCII))
    widths = [max(len(cells[index]) for cells, _ in drawn) for index in range(3)]
    result = []
    for cells, node in drawn:
        padded = [cell.ljust(width) for cell, width in zip(cells[:3], widths, strict=True)]
        if color and node.health:
            padded[1] = click.style(padded[1], fg=COLORS[SEVERITY.get(node.health, 2)])
        result.append(
            "  ".join([*(cell for cell, width in zip(padded, widths, strict=True) if width), cells[3]]).rstrip()
        )
    return result


def draws_unicode() -> bool:
    """Whether stdout can show the lines of a tree."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def _drawn(node: Node, lead: str, below: str, signs: Sequence[str]) -> Iterator[tuple[tuple[str, str, str, str], Node]]:
    yield (lead + node.name, node.health, node.detail, " ".join(node.message.split())), node
    ordered = sorted(node.children, key=lambda child: -child.severity)
    for number, child in enumerate(ordered):
        last = number == len(ordered) - 1
        tee, corner, bar, space = signs
        yield from _drawn(child, below + (corner if last else tee), below + (space if last else bar), signs)
