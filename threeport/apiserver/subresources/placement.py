"""Where an instance runs, and the way there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from threeport.common.errors import ApiError, BadGateway, BadRequest, Conflict, NotFound, ServiceUnavailable
from threeport.common.types import JsonObject
from threeport.krm.interfaces import ObjectStore, Secrecy
from threeport.krm.paths import Target
from threeport.kube.access import ClusterAccess
from threeport.kube.cluster import Cluster
from threeport.kube.errors import ClusterError, ClusterUnreachable, NamespaceMissing, Rejected
from threeport.kube.labels import INSTANCE_LABEL
from threeport.kube.pods import Pod, selected
from threeport.kube.runtime_access import access_of
from threeport.resources.kubernetes_runtime import KubernetesRuntimeDefinition, KubernetesRuntimeInstance
from threeport.resources.model import kind_of
from threeport.store.records import Key

RUNTIME = kind_of(KubernetesRuntimeInstance)
RUNTIME_DEFINITION = kind_of(KubernetesRuntimeDefinition)

_SHORT_NAMES: Final = {
    "cj": "cronjob", "deploy": "deployment", "ds": "daemonset", "po": "pod", "rs": "replicaset", "sts": "statefulset",
    "svc": "service",
}  # fmt: skip
"""As kubectl has them, of the kinds that have pods."""


def means(word: str, kind: str) -> bool:
    """Whether a person means this kind by a word: ``deploy``, ``deployments`` and ``Deployment`` are one."""
    lower = word.lower()
    return kind.lower() in (lower, lower.removesuffix("s"), _SHORT_NAMES.get(lower))


@dataclass(frozen=True, slots=True)
class Placement:
    """An instance and the cluster that it runs on."""

    instance: JsonObject
    runtime: str
    simulated: bool
    access: ClusterAccess

    @property
    def name(self) -> str:
        """The name of the instance."""
        return str(self.instance["metadata"]["name"])

    @property
    def selector(self) -> str:
        """The label selector of everything that is the instance's."""
        return f"{INSTANCE_LABEL}={self.instance['metadata']['uid']}"

    @asynccontextmanager
    async def cluster(self) -> AsyncIterator[Cluster]:
        """The cluster, for one request: neither the connection nor the credentials are kept."""
        with self.told():
            cluster = Cluster(self.access)
        try:
            yield cluster
        finally:
            await cluster.close()

    def needs_containers(self, what: str) -> None:
        """Raises `BadRequest` if the cluster is a simulated one."""
        if self.simulated:
            raise BadRequest(
                f"{self.name} runs on {self.runtime}, a simulated cluster: its pods run no containers, so they have "
                f"no {what}. Use a real one: tptctl runtime add NAME --kubeconfig FILE."
            )

    @contextmanager
    def told(self) -> Iterator[None]:
        """Errors of the cluster become those of the API, and name the runtime."""
        try:
            yield
        except ClusterError as error:
            raise self.error(error) from error

    def error(self, error: ClusterError) -> ApiError:
        """The answer for an error of the cluster."""
        message = f"Runtime {self.runtime}: {error}"
        match error:
            case ClusterUnreachable():
                return ServiceUnavailable(message)
            case Rejected():
                return BadRequest(message)
            case NamespaceMissing():
                return NotFound(message)
        return BadGateway(message)

    async def pods(self, cluster: Cluster, *, resource: str = "", pod: str = "") -> list[Pod]:
        """The pods of the instance, by name; those of one of its objects (``Kind/name``), or one `pod`, if given.

        Raises `NotFound` for a name that is none of the instance's.
        """
        with self.told():
            found = [Pod(obj) for obj in await cluster.list("v1", "Pod", label_selector=self.selector)]
            found.sort(key=lambda one: (one.namespace, one.name))
            kind, _, name = resource.partition("/")
            if means(kind, "Pod"):
                pod = name
            elif resource:
                found = selected(found, await self.find(cluster, resource))
        if pod:
            found = [one for one in found if one.name == pod]
            if not found:
                raise NotFound(f"{self.name} has no pod {pod!r}: tptctl tree workloadinstance {self.name} shows them.")
        return found

    async def find(self, cluster: Cluster, resource: str) -> JsonObject:
        """An object of the instance in its cluster, by ``Kind/name``. Raises `NotFound` unless it is the instance's."""
        kind, _, name = resource.partition("/")
        inventory = (self.instance.get("status") or {}).get("inventory") or []
        item = next((one for one in inventory if means(kind, one["kind"]) and one["name"] == name), None)
        with self.told():
            found = item and await cluster.get(item["apiVersion"], item["kind"], name, item.get("namespace"))
        if not found or found["metadata"].get("labels", {}).get(INSTANCE_LABEL) != self.instance["metadata"]["uid"]:
            known = ", ".join(f"{one['kind']}/{one['name']}" for one in inventory) or "nothing"
            raise NotFound(f"{self.name} has no {resource} on runtime {self.runtime}. It has {known}.")
        return {"kind": item["kind"], **found} if item else found


class Placements:
    """Finds where instances run. Opens the runtime's credentials, for this process only."""

    def __init__(self, store: ObjectStore, secrecy: Secrecy) -> None:
        self._store = store
        self._secrecy = secrecy

    async def of(self, target: Target) -> Placement:
        """The placement of an instance. Raises `NotFound`, or `Conflict` while it is on no cluster."""
        instance = await self._get(target.key)
        if instance is None:
            raise NotFound(
                f'{target.kind.resource} "{target.name}" not found', kind=target.kind.plural, name=target.name
            )
        name = (instance.get("status") or {}).get("runtime")
        runtime = await self._get(Key(RUNTIME.resource, "", name)) if name else None
        if runtime is None:
            missing = f"its runtime {name} does not exist" if name else "it is on no cluster yet"
            raise Conflict(f"{target.name}: {missing}. tptctl describe workloadinstance {target.name} says why.")
        self._secrecy.reveal(RUNTIME, runtime)
        access = access_of(runtime)
        if access is None:
            raise Conflict(f"{target.name}: its runtime {name} has no endpoint yet.")
        definition = await self._get(Key(RUNTIME_DEFINITION.resource, "", runtime["spec"]["definitionRef"]["name"]))
        simulated = definition is not None and definition["spec"].get("infraProvider") == "simulated"
        return Placement(instance, str(name), simulated, access)

    async def _get(self, key: Key) -> JsonObject | None:
        stored = await self._store.get(key)
        return stored.decoded() if stored is not None else None
