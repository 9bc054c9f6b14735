"""What the simulated kubelet makes of images and commands."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from threeport.simulated.controllers.kubelet import exit_code, image_obstacle
from threeport.simulated.world import Entry
from threeport.store.records import Key, StoredObject


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("nginx", None),
        ("nginx:1.27", None),
        ("registry.example.com:5000/team/web_app:v1.2.3", None),
        ("ghcr.io/org/app@sha256:" + "a" * 64, None),
        ("registry.invalid/web:1", "ImagePullBackOff"),
        ("registry.invalid:5000/web", "ImagePullBackOff"),
        ("nginx:does-not-exist", "ImagePullBackOff"),
        ("Nginx:1", "InvalidImageName"),
        ("nginx:", "InvalidImageName"),
        ("no spaces", "InvalidImageName"),
    ],
)
def test_an_image_that_cannot_exist_is_an_obstacle(image: str, reason: str | None) -> None:
    found = image_obstacle("web", image)
    assert (found.reason if found else None) == reason


@pytest.mark.parametrize(
    ("container", "code"),
    [
        ({}, 0),
        ({"command": ["false"]}, 1),
        ({"command": ["sh", "-c", "exit 3"]}, 3),
        ({"command": ["sh", "-c"], "args": ["echo a; exit 12"]}, 12),
        ({"command": ["sh", "-c", "exit 0"]}, 0),
        ({"command": ["exit-interview", "10"]}, 0),
    ],
)
def test_a_command_that_plainly_fails_fails(container: dict[str, Any], code: int) -> None:
    assert exit_code(_pod({"name": "web", **container})) == code


def _pod(container: dict[str, Any]) -> Entry:
    obj = {"metadata": {"name": "web"}, "spec": {"containers": [container]}}
    body = orjson.dumps(obj).decode()
    return Entry(StoredObject(key=Key("pods", "ns", "web"), uid="u", revision=1, generation=1, body=body), obj)
