"""Waiting for objects: until a condition holds, or until they are gone; and saying meanwhile what is missing."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from threeport.cli.console import Progress
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.following import Following
from threeport.cli.ordering import Target
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
    following: Following, target: Target, wanted: ConditionWanted, *, seconds: float, say: Progress
) -> JsonObject:
    """The object, once the condition holds; 0 `seconds` are for one look. Raises `NotFound` if there is no such object,
    or it is deleted meanwhile; `CliError` (TIMEOUT) with the last that it said."""
    current: JsonObject | None = None
    try:
        async with asyncio.timeout(seconds or None), aclosing(following.states(target)) as states:
            async for state in states:
                if state is None:
                    what = "has been deleted" if current else "not found"
                    raise NotFound(f"{target} {what}", kind=target.kind.plural, name=target.name)
                current = state
                if wanted.holds(current):
                    return current
                _unless_it_was_one_look(seconds)
                say(f"Waiting for {target} to be {wanted.type}={wanted.status}: {explanation(current, wanted.type)}")
    except TimeoutError:
        said = explanation(current, wanted.type) if current else "the API has not answered"
        raise CliError(
            f"{target} is not {wanted.type}={wanted.status} after {seconds:.0f} s: {said}\n{hint(target)}",
            ExitCode.TIMEOUT,
        ) from None
    raise AssertionError("states do not end by themselves")


async def until_gone(following: Following, target: Target, *, uid: str | None, seconds: float, say: Progress) -> None:
    """Returns once the object of this uid (None: the one that is there now) is gone. Raises `CliError` (TIMEOUT) with
    what holds it."""
    held, is_asked_for = "", uid is not None
    try:
        async with asyncio.timeout(seconds or None), aclosing(following.states(target)) as states:
            async for state in states:
                if state is None or state["metadata"]["uid"] != (uid := uid or state["metadata"]["uid"]):
                    return
                held = _what_holds(state)
                _unless_it_was_one_look(seconds)
                if is_asked_for and not state["metadata"].get("deletionTimestamp"):
                    continue  # seen before we asked
                say(f"Waiting for {target} to be gone: {held}")
    except TimeoutError:
        raise CliError(
            f"{target} is not gone after {seconds:.0f} s: {held}\n{hint(target)}", ExitCode.TIMEOUT
        ) from None


def _unless_it_was_one_look(seconds: float) -> None:
    """Raises `TimeoutError` where there is no time to wait for more than what is there."""
    if not seconds:
        raise TimeoutError


def hint(target: Target) -> str:
    """The command that shows more."""
    place = f" -n {target.namespace}" if target.namespace and target.namespace != "default" else ""
    return f"Look with `tptctl describe {target.kind.singular} {target.name}{place}`."


def _what_holds(obj: FrozenJson) -> str:
    """Why a deletion has not come to its end, as the object says it."""
    if not obj["metadata"].get("deletionTimestamp"):
        return "nobody has deleted it"
    found = condition(obj, "Ready") or {}
    begun = found.get("status") != "True" and found.get("message")
    if begun:
        return str(found["message"])
    return f"its controller has not said anything yet (held by {', '.join(obj['metadata'].get('finalizers') or ())})"
