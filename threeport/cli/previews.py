"""Asking clusters what a change would do: a WorkloadPreview per instance, taken away once it is answered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.session import DEFAULT_NAMESPACE
from threeport.cli.waiting import condition
from threeport.client import Client
from threeport.common.errors import NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.resources.kind import Kind
from threeport.resources.model import kind_of
from threeport.resources.workload_preview import WorkloadPreview

PREVIEW: Final[Kind] = kind_of(WorkloadPreview)

AT_ONCE: Final = 8
"""Previews under way at the same time."""
PATIENCE: Final = 60.0
"""Seconds until somebody has to have answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask about one instance. `spec` is that of the preview, without the reference to the instance."""

    name: str
    namespace: str
    spec: FrozenJson = field(default_factory=dict)
    note: str | None = None
    """Why there is nothing to ask, if so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would become of one instance."""

    name: str
    namespace: str
    runtime: str | None = None
    cluster_namespace: str | None = None
    resources: Sequence[JsonObject] = ()
    summary: str = ""
    error: str | None = None
    """Why nothing can be said."""
    truncated: str | None = None
    note: str | None = None

    @property
    def differs(self) -> bool:
        """Whether anything would happen."""
        return any(one["action"] != "Unchanged" for one in self.resources)

    @property
    def tells(self) -> bool:
        """Whether there is anything to know, even if nothing would happen."""
        return self.differs or self.failed or bool(self.note) or any(one.get("message") for one in self.resources)

    @property
    def failed(self) -> bool:
        """Whether the cluster would refuse something, or could not be asked."""
        return self.error is not None or any(one.get("error") for one in self.resources)

    def as_json(self) -> JsonObject:
        """For programs; what there is nothing to say about is left out."""
        found: JsonObject = {
            "namespace": self.namespace,
            "name": self.name,
            "runtime": self.runtime,
            "clusterNamespace": self.cluster_namespace,
            "resources": list(self.resources),
            "error": self.error,
            "truncated": self.truncated,
            "note": self.note,
        }
        return {name: value for name, value in found.items() if value not in (None, [])}


async def foresee(client: Client, questions: Sequence[Question]) -> list[Foreseen]:
    """The answers, in order. Raises `CliError` (TIMEOUT) if no controller answers; no preview is left behind then."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(question: Question) -> Foreseen:
        if question.note is not None:
            return Foreseen(name=question.name, namespace=question.namespace, note=question.note)
        async with gate:
            return await _ask(client, question)

    try:
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(ask(question)) for question in questions]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [one.result() for one in asking]


async def _ask(client: Client, question: Question) -> Foreseen:
    creating = asyncio.create_task(_create(client, question))
    try:
        async with asyncio.timeout(PATIENCE):
            return _told(question, await _answered(client, await asyncio.shield(creating)))
    except TimeoutError:
        raise CliError(
            f"The workload controller has not answered within {PATIENCE:.0f} s what would become of "
            f"workloadinstance/{question.name}. Look with `tptctl status`.",
            ExitCode.TIMEOUT,
        ) from None
    finally:
        await _take_away(client, creating)


async def _take_away(client: Client, creating: asyncio.Task[JsonObject]) -> None:
    """Deletes a preview, also one whose creation was under way when somebody broke off."""
    try:
        metadata = (await creating)["metadata"]
        await client.delete(PREVIEW, metadata["name"], metadata["namespace"], uid=metadata["uid"])
    except NotFound:
        pass


async def _create(client: Client, question: Question) -> JsonObject:
    name = f"diff-{uuid.uuid4().hex[:12]}"
    reference = {"name": question.name, "namespace": question.namespace}
    spec = {"instanceRef": reference, **question.spec}
    try:
        return await client.create({"metadata": {"name": name, "namespace": question.namespace}, "spec": spec}, PREVIEW)
    except NotFound:  # the namespace is yet to be made
        body = {"metadata": {"name": name, "namespace": DEFAULT_NAMESPACE}, "spec": spec}
        return await client.create(body, PREVIEW)


async def _answered(client: Client, preview: JsonObject) -> JsonObject:
    """The status, once there is one. Raises `NotFound` if somebody deletes the preview meanwhile."""
    metadata = preview["metadata"]
    events = client.watch(
        PREVIEW,
        metadata["namespace"],
        since=metadata["resourceVersion"],
        field_selector=f"metadata.name={metadata['name']}",
    )
    async with aclosing(events):
        async for event in events:
            if event.type == "DELETED":
                raise NotFound(f"the preview {metadata['name']} was deleted before it was answered")
            if condition(event.object, "Ready") is not None:
                status: JsonObject = event.object["status"]
                return status
    raise AssertionError("a watch does not end by itself")


def _told(question: Question, status: JsonObject) -> Foreseen:
    ready = condition({"status": status}, "Ready") or {}
    if ready.get("status") != "True":
        why = f"{ready.get('reason')}: {ready.get('message')}"
        return Foreseen(name=question.name, namespace=question.namespace, error=why)
    return Foreseen(
        name=question.name,
        namespace=question.namespace,
        runtime=status.get("runtime"),
        cluster_namespace=status.get("namespace"),
        resources=status.get("resources") or (),
        summary=str(ready.get("message") or ""),
        truncated=status.get("truncated"),
    )
