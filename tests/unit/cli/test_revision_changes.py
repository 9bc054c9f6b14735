"""What `tptctl rollout history` says that a revision changed."""

from __future__ import annotations

import click
import pytest

from threeport.cli.revision_changes import in_brief, in_full
from threeport.common.types import JsonObject


def revision(*manifests: JsonObject) -> JsonObject:
    return {"spec": {"revision": 1, "manifests": list(manifests)}}


def deployment(image: str, other: str = "proxy:1", **more: object) -> JsonObject:
    containers = [{"name": "web", "image": image}, {"name": "side", "image": other}]
    spec = {"template": {"spec": {"containers": containers}}, **more}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def thing(kind: str, name: str, **data: object) -> JsonObject:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data}


A_PASSWORD = {"password": "redacted:0123456789abcdef"}
ANOTHER = {"password": "redacted:fedcba9876543210"}


@pytest.mark.parametrize(
    ("former", "later", "said"),
    [
        ([deployment("a:1")], [deployment("a:2")], "image of Deployment/web: a:1 → a:2"),
        ([deployment("a:1")], [deployment("a:1", replicas=3)], "replicas of Deployment/web: none → 3"),
        (
            [deployment("a:1", "p:1")],
            [deployment("a:2", "p:2")],
            "spec.template.spec.containers[name=web].image of Deployment/web: a:1 → a:2, "
            "spec.template.spec.containers[name=side].image of Deployment/web: p:1 → p:2",
        ),
        ([thing("ConfigMap", "y")], [thing("Service", "x")], "- ConfigMap/y, + Service/x"),
        ([thing("Secret", "s", **A_PASSWORD)], [thing("Secret", "s", **ANOTHER)], "password of Secret/s"),
        ([thing("ConfigMap", "c", text="a\nb")], [thing("ConfigMap", "c", text="b\nc")], "text of ConfigMap/c"),
        (
            [thing("ConfigMap", "c", **{"a.conf": "1"})],
            [thing("ConfigMap", "c", **{"a.conf": "2"})],
            "a.conf of ConfigMap/c: 1 → 2",
        ),
        ([thing("ConfigMap", "c")], [thing("ConfigMap", "c")], "no manifest"),
        (
            [thing("ConfigMap", "c")],
            [thing("ConfigMap", "c", **{str(number): number for number in range(7)})],
            "0 of ConfigMap/c: none → 0, 1 of ConfigMap/c: none → 1, 2 of ConfigMap/c: none → 2, "
            "3 of ConfigMap/c: none → 3, and 3 more",
        ),
    ],
)
def test_a_change_is_told_on_one_line(former: list[JsonObject], later: list[JsonObject], said: str) -> None:
    assert in_brief(revision(*former), revision(*later)) == said


def test_the_first_revision_that_is_kept_says_what_it_holds() -> None:
    assert in_brief(None, revision(thing("ConfigMap", "a"), deployment("a:1"))) == "holds ConfigMap/a, Deployment/web"


def test_in_full_every_field_is_told_below_its_object_and_no_value_of_a_secret() -> None:
    former = revision(thing("ConfigMap", "y"), thing("Secret", "s", **A_PASSWORD), deployment("a:1"))
    later = revision(thing("Secret", "s", **ANOTHER), deployment("a:2", replicas=2), thing("Service", "x"))
    lines = [click.unstyle(line) for line in in_full(former, later)]
    assert lines == [
        "  - ConfigMap/y",
        "  ~ Secret/s",
        "      data.password: redacted:0123456789abcdef → redacted:fedcba9876543210",
        "  ~ Deployment/web",
        "      spec.template.spec.containers[name=web].image: a:1 → a:2",
        "      spec.replicas:",
        "        + 2",
        "  + Service/x",
    ]
