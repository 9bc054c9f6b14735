"""``tptctl tree``: an object with all that hangs on it, down to the pods, trouble first."""

from __future__ import annotations

import sys

import click

from threeport.cli.arguments import objects_argument
from threeport.cli.console import age_since, note, result
from threeport.cli.instances import DEFINITION, INSTANCE, WORKLOAD, view
from threeport.cli.session import connected, control_plane_option, named_objects, namespace_of, namespace_option, run
from threeport.cli.times import parse_time
from threeport.cli.tree import Node, draws_unicode, lines, node_of
from threeport.client import Client
from threeport.common.errors import ApiError, ServiceUnavailable
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind
from threeport.resources.kubernetes_runtime import KubernetesRuntimeDefinition, KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport
from threeport.store.records import Key

RUNTIME = kind_of(KubernetesRuntimeInstance)
RUNTIME_DEFINITION = kind_of(KubernetesRuntimeDefinition)
REPORT = kind_of(WorkloadReport)


@click.command()
@objects_argument
@namespace_option
@control_plane_option
def command(what: tuple[str, ...], namespace: str, control_plane: str | None) -> None:
    """Show an object and all that hangs on it: definition, instance, cluster, resources and pods, trouble first."""
    run(_tree(what, namespace, control_plane))


async def _tree(what: tuple[str, ...], namespace: str, control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        growing = Growing(client)
        for number, (kind, name) in enumerate(named_objects(await client.catalog(), what)):
            obj = await client.get(kind, name, namespace_of(kind, namespace))
            if number:
                result("")
            for line in lines(await growing.of(kind, obj), color=sys.stdout.isatty(), unicode=draws_unicode()):
                result(line)


class Growing:
    """Makes trees out of what the API says."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._away: set[str] = set()
        """Runtimes that could not be reached: it takes seconds to find out, and they may have many instances."""

    async def of(self, kind: Kind, obj: JsonObject) -> Node:
        """The tree below an object of any kind; only those of workloads and runtimes have something below them."""
        match kind.resource:
            case WORKLOAD.resource:
                return await self._workload(obj)
            case INSTANCE.resource:
                return await self._instance(obj)
            case DEFINITION.resource:
                return await self._above_instances(kind, obj)
            case RUNTIME.resource:
                return await self._runtime(obj)
            case RUNTIME_DEFINITION.resource:
                root = node_of(obj)
                key = Key(kind.resource, "", obj["metadata"]["name"])
                for runtime in (await self._client.list(RUNTIME, referring_to=key)).items:
                    root.children.append(await self._runtime(runtime))
                return root
        return node_of(obj)

    async def _workload(self, obj: JsonObject) -> Node:
        root = node_of(obj, detail=_parts(obj))
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        definition = await self._client.find(DEFINITION, name, namespace)
        root.children.append(node_of(definition) if definition else _missing(DEFINITION, name))
        instance = await self._client.find(INSTANCE, name, namespace)
        root.children.append(await self._instance(instance) if instance else _missing(INSTANCE, name))
        return root

    async def _above_instances(self, kind: Kind, obj: JsonObject) -> Node:
        root = node_of(obj)
        metadata = obj["metadata"]
        key = Key(kind.resource, metadata["namespace"], metadata["name"])
        for instance in (await self._client.list(INSTANCE, referring_to=key)).items:
            root.children.append(await self._instance(instance))
        return root

    async def _runtime(self, obj: JsonObject) -> Node:
        """A cluster and the instances on it, which are not gone into."""
        root = node_of(obj, detail=str((obj.get("status") or {}).get("kubernetesVersion") or ""))
        for instance in (await self._client.list(INSTANCE)).items:
            if (instance.get("status") or {}).get("runtime") == obj["metadata"]["name"]:
                node = node_of(instance, detail=_parts(instance))
                node.name = f"{INSTANCE.kind}/{instance['metadata']['namespace']}/{instance['metadata']['name']}"
                root.children.append(node)
        return root

    async def _instance(self, obj: JsonObject) -> Node:
        root = node_of(obj, detail=_parts(obj))
        seen: FrozenJson = {}
        if runtime := (obj.get("status") or {}).get("runtime"):
            seen = await self._look(obj, runtime)
            root.children.append(await self._cluster(runtime, simulated=bool(seen.get("simulated"))))
        resources = await self._resources(obj)
        parents = {(resource.get("namespace"), node.name): node for resource, node in resources}
        for pod in seen.get("pods") or ():
            node = _pod(pod)
            itself = parents.get((pod["namespace"], node.name))
            if itself is not None:
                itself.detail = node.detail
            else:
                parents.get((pod["namespace"], pod["owner"]), root).children.append(node)
        root.children += [node for _, node in resources]
        return root

    async def _look(self, obj: FrozenJson, runtime: str) -> FrozenJson:
        """The pods of an instance as they are in its cluster now; nothing if they cannot be seen, which is said."""
        if runtime in self._away:
            return {}
        name = obj["metadata"]["name"]
        try:
            seen = await view(self._client, name, obj["metadata"]["namespace"], "pods")
        except ServiceUnavailable as error:
            self._away.add(runtime)
            note(f"Pods on {runtime} cannot be shown: {error.message}")
            return {}
        except ApiError as error:
            note(f"The pods of {name} cannot be shown: {error.message}")
            return {}
        if seen["total"] > len(seen["pods"]):
            note(f"{name} has {seen['total']} pods; these are the first {len(seen['pods'])}.")
        return seen

    async def _cluster(self, runtime: str, *, simulated: bool) -> Node:
        found = await self._client.find(RUNTIME, runtime)
        return node_of(found, detail="simulated" if simulated else "") if found else _missing(RUNTIME, runtime)

    async def _resources(self, obj: FrozenJson) -> list[tuple[JsonObject, Node]]:
        """What the agent saw of each object; what it has not seen yet is taken from the inventory."""
        metadata = obj["metadata"]
        key = Key(INSTANCE.resource, metadata["namespace"], metadata["name"])
        reports = (await self._client.list(REPORT, metadata["namespace"], referring_to=key)).items
        seen = [
            resource
            for report in reports
            if report["spec"].get("instanceUid") == metadata["uid"]
            for resource in report["spec"].get("resources") or ()
        ]
        known = {_identity(resource) for resource in seen}
        inventory = (obj.get("status") or {}).get("inventory") or []
        unseen = [item for item in inventory if _identity(item) not in known]
        return [
            (one, Node(f"{one['kind']}/{one['name']}", one.get("health") or "Unknown", "", one.get("message") or ""))
            for one in [*seen, *unseen]
        ]


def _identity(item: FrozenJson) -> tuple[object, ...]:
    return item["apiVersion"], item["kind"], item.get("namespace"), item["name"]


def _pod(pod: FrozenJson) -> Node:
    restarts = f" {pod['restarts']} restarts" if pod["restarts"] else ""
    born = parse_time(pod.get("createdAt") or "")
    age = f" {age_since(born)}" if born is not None else ""
    return Node(f"Pod/{pod['name']}", pod["health"], f"{pod['ready']}{age}{restarts}", pod["message"])


def _missing(kind: Kind, name: str) -> Node:
    return Node(f"{kind.kind}/{name}", "Down", "", "does not exist")


def _parts(obj: FrozenJson) -> str:
    return str((obj.get("status") or {}).get("readyResources") or "")
