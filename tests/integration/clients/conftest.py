"""What the tests of clients share: names, an object to write, and what makes it ready."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.fixtures.api import Api

GROUP, VERSION, PLURAL = "threeport.io", "v1alpha1", "workloaddefinitions"
API_VERSION = f"{GROUP}/{VERSION}"
READY = {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Tested", "message": ""}]}}


def labelled(value: str) -> dict[str, Any]:
    """A patch that sets the label `tier`."""
    return {"metadata": {"labels": {"tier": value}}}


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"c-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def definition(name: str) -> dict[str, Any]:
    """A WorkloadDefinition that does not exist yet: no controller holds it, and it has a status to wait for."""
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkloadDefinition",
        "metadata": {"name": name, "namespace": "default", "labels": {"test": name}},
        "spec": {"manifests": [manifest]},
    }


@pytest.fixture
def kubeconfig(api: Api) -> str:
    """The path of the administrator's kubeconfig."""
    return str(api.kubeconfig)
