"""The same client against kube-apiserver: the protocol is the same."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing
from pathlib import Path

from tests.cluster.provision import Cluster
from threeport.bootstrap.kubeconfig import cluster_access
from threeport.client import Client, ClientSettings
from threeport.resources.core import Namespace
from threeport.resources.model import ObjectMeta


async def test_kinds_objects_and_watches_of_a_real_cluster(cluster: Cluster, tmp_path: Path) -> None:
    access = cluster_access(cluster.kubeconfig)
    files = {}
    for name, text in (
        ("ca", access.certificate_authority), ("crt", access.client_certificate), ("key", access.client_key),
    ):  # fmt: skip
        if text:
            files[name] = tmp_path / name
            files[name].write_text(text)
    settings = ClientSettings(
        url=access.endpoint,
        token=access.token,
        ca_file=str(files["ca"]),
        cert_file=str(files["crt"]) if "crt" in files else None,
        key_file=str(files["key"]) if "key" in files else None,
    )
    name = f"client-{uuid.uuid4().hex[:8]}"
    async with Client(settings) as client:
        catalog = await client.catalog()
        deployments, config_maps = catalog.by_word("deploy"), catalog.by_word("cm")
        assert deployments
        assert config_maps
        assert deployments.api_version == "apps/v1"
        await client.create(Namespace(metadata=ObjectMeta(name=name)))
        obj = {"metadata": {"name": "a", "namespace": name}, "data": {"x": "1"}}
        first = await client.apply(obj, config_maps, field_manager="test")
        assert (await client.apply(obj, config_maps, field_manager="test"))["metadata"]["resourceVersion"] == (
            first["metadata"]["resourceVersion"]
        )
        seen: list[tuple[str, str]] = []
        async with (
            asyncio.timeout(30),
            aclosing(client.watch(config_maps, name, field_selector="metadata.name=a")) as events,
        ):
            async for event in events:
                seen.append((event.type, event.object["data"]["x"]))
                if event.type == "ADDED":
                    await client.patch(config_maps, "a", name, {"data": {"x": "2"}})
                elif event.type == "MODIFIED":
                    await client.delete(config_maps, "a", name)
                else:
                    break
        assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]
        await client.delete(Namespace, name)
