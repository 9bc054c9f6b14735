"""Differences are shown in as little room as they take, and without doubt about what is text and what is not."""

from __future__ import annotations

from typing import Any

import click
import pytest

from threeport.cli.difference_text import change_lines, foreseen_lines
from threeport.cli.previews import Foreseen


def lines(**change: Any) -> list[str]:
    return [click.unstyle(line) for line in change_lines({"path": "p", **change}, "")]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"old": 1, "new": 2}, ["p: 1 → 2"]),
        ({"old": "1", "new": 1}, ['p: "1" → 1']),
        ({"old": "true", "new": True}, ['p: "true" → true']),
        ({"old": "a b", "new": ""}, ['p: a b → ""']),
        ({"new": "x"}, ["p:", "  + x"]),
        ({"old": {"name": "web", "image": "a"}}, ["p:", "  - name: web", "    image: a"]),
        ({"old": "x" * 60, "new": "y" * 60}, ["p:", f"  - {'x' * 60}", f"  + {'y' * 60}"]),
    ],
)
def test_a_change_is_shown_on_as_few_lines_as_it_needs(change: dict[str, Any], shown: list[str]) -> None:
    assert lines(**change) == shown


def test_of_long_text_only_the_lines_that_differ_are_shown_with_two_around_them() -> None:
    text = "\n".join(str(number) for number in range(20))
    shown = lines(old=text, new=text.replace("10", "ten"))
    assert shown[2:] == ["   8", "   9", "  -10", "  +ten", "   11", "   12"]


def test_an_instance_is_shown_with_its_cluster_and_only_what_would_change() -> None:
    resources = [
        {"kind": "ConfigMap", "name": "a", "namespace": "shop-1", "action": "Unchanged"},
        {"kind": "Deployment", "name": "web", "namespace": "shop-1", "action": "Replace", "message": "why"},
        {"kind": "Role", "name": "r", "namespace": "elsewhere", "action": "Prune"},
        {"kind": "Job", "name": "j", "namespace": "shop-1", "action": "Change", "error": "no"},
    ]
    foreseen = Foreseen(
        name="shop", namespace="default", runtime="eu", cluster_namespace="shop-1", resources=resources, summary="s"
    )
    assert [click.unstyle(line) for line in foreseen_lines(foreseen)] == [
        "workloadinstance/shop on eu, namespace shop-1: s",
        "  ± Deployment web  (why)",
        "  - Role elsewhere/r",
        "  ~ Job j",
        "      ! no",
    ]
    assert foreseen.differs
    assert foreseen.failed


def test_what_there_is_to_know_of_what_stays_is_shown_too() -> None:
    kept = {"kind": "Namespace", "name": "n", "action": "Unchanged", "message": "stays, since others keep Pod a in it"}
    foreseen = Foreseen(name="shop", namespace="default", resources=[kept], summary="nothing to do; 1 unchanged")
    assert [click.unstyle(line) for line in foreseen_lines(foreseen)][1:] == [
        "  = Namespace n  (stays, since others keep Pod a in it)"
    ]
    assert foreseen.tells
    assert not foreseen.differs
