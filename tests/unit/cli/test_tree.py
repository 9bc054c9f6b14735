"""How trees of objects are drawn."""

from __future__ import annotations

from typing import Any

from threeport.cli.tree import Node, lines, node_of


def test_what_is_in_trouble_or_has_trouble_below_it_comes_first() -> None:
    pod = Node("Pod/b", "Down", "0/1", "ImagePullBackOff:\n no such image")
    root = Node(
        "Workload/shop",
        "Degraded",
        children=[Node("Service/a", "Healthy"), Node("Deployment/b", "Progressing", children=[pod])],
    )
    assert lines(root, color=False, unicode=True) == [
        "Workload/shop     Degraded",
        "├── Deployment/b  Progressing",
        "│   └── Pod/b     Down         0/1  ImagePullBackOff: no such image",
        "└── Service/a     Healthy",
    ]
    assert lines(root, color=False, unicode=False)[2].startswith("|   `-- Pod/b")


def test_colors_do_not_move_the_columns() -> None:
    root = Node("a", "Healthy", "", "x", children=[Node("b", "Down", "", "y")])
    colored = lines(root, color=True, unicode=True)
    assert "\x1b[31mDown   \x1b[0m  y" in colored[1]


def obj(ready: str | None, reason: str = "", message: str = "", **status: Any) -> dict[str, Any]:
    """A WorkloadInstance with a Ready condition."""
    conditions = [{"type": "Ready", "status": ready, "reason": reason, "message": message}] if ready else []
    return {"kind": "X", "metadata": {"name": "x"}, "status": {"conditions": conditions, **status}}


def test_an_object_of_the_api_shows_its_health_or_whether_it_is_ready() -> None:
    assert node_of(obj("True", health="Healthy")).health == "Healthy"
    assert node_of(obj("True")).health == "Ready"
    assert node_of(obj(None)).health == "Unknown"
    failed = node_of(obj("False", "ReferenceNotFound", "no such definition"))
    assert (failed.health, failed.message) == ("NotReady", "ReferenceNotFound: no such definition")
    stale = node_of(obj("False", "Progressing", "applying generation 2", health="Healthy"))
    assert stale.health == "Progressing"
