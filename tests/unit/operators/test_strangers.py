"""What counts as somebody else's in a namespace."""

from __future__ import annotations

from typing import Any

import pytest

from operators.workload.strangers import is_strange


def obj(kind: str, name: str, **content: Any) -> dict[str, Any]:
    metadata = {"name": name, **content.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (obj("ConfigMap", "settings"), True),
        (obj("ConfigMap", "kube-root-ca.crt"), False),
        (obj("ServiceAccount", "default"), False),
        (obj("ServiceAccount", "runner"), True),
        (obj("Endpoints", "web"), False),
        (obj("Secret", "password"), True),
        (obj("PersistentVolumeClaim", "data-db-0"), False),
        (obj("PersistentVolumeClaim", "data-db-x"), True),
        (obj("PersistentVolumeClaim", "data-other-0"), True),
        (obj("Pod", "web-1", metadata={"ownerReferences": [{"uid": "u"}]}), False),
        (obj("Pod", "debug"), True),
        (obj("Service", "web", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}), False),
    ],
)
def test_what_the_cluster_or_our_own_objects_have_made_is_not_strange(found: dict[str, Any], expected: bool) -> None:
    assert is_strange(found, ["db"]) is expected
