"""Waiting for objects: until a condition holds, or until they are gone; and saying meanwhile what is missing."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from threeport.cli.console import Progress
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.ordering import Target
from threeport.client import Client
from threeport.common.errors import NotFound
from threeport.common.types import FrozenJson, JsonObject


@dataclass(frozen=True, slots=True)
class ConditionWanted:
    """A condition and the status it must have: ``Ready``, ``True``."""

    type: str
    status: str = "True"

    @classmethod
    def parse(cls, text: str) -> ConditionWanted:
        """From ``Ready`` or ``Ready=False``."""
        name, _, status = text.partition("=")
        return cls(name, status.capitalize() or "True")

    def holds(self, obj: FrozenJson) -> bool:
        """Whether the object has it, said of its present generation: an older one says nothing of the last change."""
        status = obj.get("status") or {}
        found = condition(obj, self.type)
        if found is None or str(found.get("status", "")).lower() != self.status.lower():
            return False
        observed = found.get("observedGeneration", status.get("observedGeneration"))
        return observed is None or observed >= obj["metadata"].get("generation", 0)


def condition(obj: FrozenJson, name: str) -> JsonObject | None:
    """The condition of this type; case does not matter."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((found for found in conditions if found.get("type", "").lower() == name.lower()), None)


def explanation(obj: FrozenJson, name: str = "Ready") -> str:
    """What the object says of a condition, in words a person can act on."""
    found = condition(obj, name)
    if found is None:
        return f"no condition {name} yet"
    reason, message = found.get("reason") or found.get("status", ""), found.get("message") or ""
    return f"{reason}: {message}" if message else str(reason)


async def until_condition(
    client: Client, target: Target, wanted: ConditionWanted, *, seconds: float, say: Progress
) -> JsonObject:
    """The object, once the condition holds. Raises `NotFound` if there is no such object, or it is deleted meanwhile;
    `CliError` (TIMEOUT) with the last that it said."""
    current = await client.get(target.kind, target.name, target.namespace)
    try:
        async with asyncio.timeout(seconds):
            while not wanted.holds(current):
                say(f"Waiting for {target} to be {wanted.type}={wanted.status}: {explanation(current, wanted.type)}")
                current = await _next(client, target, current)
    except TimeoutError:
        raise CliError(
            f"{target} is not {wanted.type}={wanted.status} after {seconds:.0f} s: "
            f"{explanation(current, wanted.type)}\n{hint(target)}",
            ExitCode.TIMEOUT,
        ) from None
    return current


async def until_gone(client: Client, target: Target, *, uid: str, seconds: float, say: Progress) -> None:
    """Returns once the object of this uid is gone. Raises `CliError` (TIMEOUT) with what holds it."""
    current: JsonObject | None = await client.find(target.kind, target.name, target.namespace)
    try:
        async with asyncio.timeout(seconds):
            while current is not None and current["metadata"]["uid"] == uid:
                say(f"Waiting for {target} to be gone: {_what_holds(current)}")
                try:
                    current = await _next(client, target, current)
                except NotFound:
                    return
    except TimeoutError:
        held = _what_holds(current) if current else ""
        raise CliError(
            f"{target} is not gone after {seconds:.0f} s: {held}\n{hint(target)}", ExitCode.TIMEOUT
        ) from None


def hint(target: Target) -> str:
    """The command that shows more."""
    place = f" -n {target.namespace}" if target.namespace and target.namespace != "default" else ""
    return f"Look with `tptctl describe {target.kind.singular} {target.name}{place}`."


async def _next(client: Client, target: Target, current: JsonObject) -> JsonObject:
    """The object after its next change. Raises `NotFound` when it is deleted."""
    events = client.watch(
        target.kind,
        target.namespace,
        since=current["metadata"]["resourceVersion"],
        field_selector=f"metadata.name={target.name}",
    )
    async with aclosing(events):
        async for event in events:
            same = event.object["metadata"]["uid"] == current["metadata"]["uid"]
            if event.type == "DELETED" and same:
                raise NotFound(f"{target} has been deleted", kind=target.kind.kind, name=target.name)
            if event.type != "DELETED" and event.object["metadata"]["resourceVersion"] != _revision(current):
                return event.object
    raise AssertionError("a watch does not end by itself")


def _revision(obj: FrozenJson) -> str:
    revision: str = obj["metadata"]["resourceVersion"]
    return revision


def _what_holds(obj: FrozenJson) -> str:
    """Why a deletion has not come to its end, as the object says it."""
    if not obj["metadata"].get("deletionTimestamp"):
        return "nobody has deleted it"
    found = condition(obj, "Ready")
    if found and found.get("message") and found.get("reason", "").lower().startswith("delet"):
        return str(found["message"])
    finalizers = ", ".join(obj["metadata"].get("finalizers") or ()) or "nothing that it says"
    said = f" ({explanation(obj)})" if found else ""
    return f"held by {finalizers}{said}"
