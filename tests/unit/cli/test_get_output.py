"""What `get -o yaml` shows reads as one would write it."""

from __future__ import annotations

from threeport.cli.showing import _for_people


def test_the_kind_comes_first_then_the_name_and_nobody_sees_managed_fields() -> None:
    served = {
        "metadata": {"annotations": {"a": "b"}, "uid": "1", "managedFields": [{}], "name": "web"},
        "spec": {"x": 1},
        "kind": "Workload",
        "apiVersion": "threeport.io/v1alpha1",
    }
    shown = _for_people(served)
    assert list(shown) == ["apiVersion", "kind", "metadata", "spec"]
    assert list(shown["metadata"]) == ["name", "annotations", "uid"]
    assert "managedFields" in served["metadata"]
