"""Transactions against the whole server: admission sees what belongs together."""

from __future__ import annotations

from typing import Any

from tests.fixtures.api import Api
from threeport.client.client import Client
from threeport.client.transactions import Operation


def _pair(name: str) -> list[dict[str, Any]]:
    """An instance and, behind it, the definition that it refers to."""
    instance = {"definitionRef": {"name": name}, "runtimeRef": {"name": "nowhere"}}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    return [
        {
            "apiVersion": "threeport.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "default"},
            "spec": spec,
        }
        for kind, spec in (("WorkloadInstance", instance), ("WorkloadDefinition", {"manifests": [manifest]}))
    ]


async def test_what_the_same_transaction_makes_is_no_reference_to_nothing(api: Api, name: str) -> None:
    warnings: list[str] = []
    async with Client(api.admin, on_warning=warnings.append) as client:
        await client.transaction([Operation(verb="apply", obj=obj) for obj in _pair(name)], dry_run=True)
    (warning,) = warnings
    assert '"nowhere" does not exist yet' in warning
