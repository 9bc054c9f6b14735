"""A Secret that a real cluster refuses: its values are in no condition, no event and no log.

Simulated clusters take what is no base64.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.operators.conftest import DEFINITION, INSTANCE, WORKLOAD, Space
from threeport.resources.core import Event
from threeport.resources.model import kind_of

EVENT = kind_of(Event)


@pytest.mark.parametrize("shared_runtime", [pytest.param("real", marks=pytest.mark.cluster)], indirect=True)
@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"data": "c4n4ry): c4n4ry\n  .data: c4n4ry"}, "data"),
        ({"data": {"a": "c4n4ry is no base64"}}, "base64"),
        ({"data": {"a": {"b": ["c4n4ry"]}}}, "data.a"),
        ({"stringData": {".dockerconfigjson": "c4n4ry"}, "type": "kubernetes.io/dockerconfigjson"}, "dockerconfigjson"),
    ],
    ids=["text", "no-base64", "object", "no-json"],
)
async def test_the_values_of_a_secret_that_is_refused_show_nowhere(
    space: Space, content: dict[str, Any], told: str
) -> None:
    await space.deploy("leaky", [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, **content}])
    assert told in await space.says(INSTANCE, "leaky", "Rejected")
    assert "Secret" in await space.says(WORKLOAD, "leaky", "Rejected")
    seen = [
        *[await space.get(kind, "leaky") for kind in (WORKLOAD, INSTANCE, DEFINITION)],
        (await space.client.list(EVENT, space.namespace)).items,
        *[process.log.read_text() for process in (space.plane.workload, space.plane.api.process)],
    ]
    assert "c4n4ry" not in json.dumps(seen)
