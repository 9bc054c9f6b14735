"""What an object loses that is no longer ours, and by which version the objects of a kind are looked for."""

from __future__ import annotations

from typing import Any

import pytest

from operators.workload.keeping import kind_defined_by
from threeport.kube.labels import INSTANCE_LABEL, INSTANCE_NAME_LABEL, labels_of, labels_that_are_ours

OURS = labels_of(definition="shop", instance="eu", uid="u", runtime="east")


@pytest.mark.parametrize(
    ("labels", "taken"),
    [
        ({**OURS, "colour": "red"}, set(OURS)),
        ({INSTANCE_LABEL: "u", "app.kubernetes.io/managed-by": "Helm", INSTANCE_NAME_LABEL: "eu"}, {INSTANCE_LABEL}),
        ({"colour": "red"}, set()),
    ],
)
def test_an_object_that_is_no_longer_ours_loses_the_labels_that_say_so(labels: dict[str, str], taken: set[str]) -> None:
    assert set(labels_that_are_ours(labels)) == taken


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([{"name": "v2", "storage": False}, {"name": "v1", "storage": True}], "v1"),
        ([{"name": "v2"}], "v2"),
    ],
)
def test_objects_of_a_kind_are_looked_for_in_the_version_in_which_they_are_stored(
    versions: list[Any], expected: str
) -> None:
    definition = {"spec": {"group": "example.com", "names": {"kind": "Lamp"}, "versions": versions}}
    assert kind_defined_by(definition) == (f"example.com/{expected}", "Lamp")
