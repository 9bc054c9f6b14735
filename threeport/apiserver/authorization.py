"""What an identity may do. `decide` is the one place in the code that says so.

| who | may |
|---|---|
| admins | everything |
| controllers | read and write everything of ``threeport.io``, see sensitive fields, write Events, read Namespaces |
| an agent | read and write the WorkloadReports of its own runtime, and read that runtime (redacted) |

Whoever is authenticated may read what the API offers (discovery, OpenAPI); an agent's refusals tell no names.
"""

from __future__ import annotations

from typing import Final

from threeport.apiserver import identities
from threeport.common.errors import ApiError, Forbidden, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.interfaces import Action, Caller, Identity, ObjectStore, Verb
from threeport.resources.model import GROUP
from threeport.store.records import Key

REPORTS: Final = "workloadreports.threeport.io"
RUNTIMES: Final = "kubernetesruntimeinstances.threeport.io"
RUNTIME_LABEL: Final = "threeport.io/runtime"
"""The label of a WorkloadReport that names its runtime; admission keeps it equal to ``spec.runtimeRef.name``."""

_READS: Final[frozenset[Verb]] = frozenset({"get", "list", "watch"})
_LISTS: Final[frozenset[Verb]] = frozenset({"list", "watch"})
_REPORT_VERBS: Final[frozenset[Verb]] = frozenset({"get", "list", "watch", "create", "update", "patch", "delete"})


def decide(identity: Identity, action: Action, *, new: FrozenJson | None, old: FrozenJson | None) -> ApiError | None:
    """None if `identity` may do `action`, else the error to answer with.

    `new` is the object to be written and `old` the one that is there, as far as they exist and are known.
    """
    if identities.is_admin(identity):
        return None
    if identities.controller_of(identity) is not None:
        return None if _controller_may(action) else _forbidden(identity, action)
    runtime = identities.runtime_of(identity)
    if runtime is None:
        return _forbidden(identity, action)
    if action.kind.resource == REPORTS and not action.subresource:
        return _agent_on_reports(identity, runtime, action, new, old)
    its_runtime = action.kind.resource == RUNTIMES and action.verb == "get" and action.name == runtime
    return None if its_runtime and not action.subresource else _forbidden(identity, action)


class RoleAuthorizer:
    """Asks `decide`, with the object that is there where that matters. Implements `Authorizer`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def authorize(self, caller: Caller, action: Action, obj: JsonObject | None = None) -> None:
        """Returns if allowed. Raises `Forbidden`, or `NotFound` where that is all that the caller may know."""
        refused = decide(caller.identity, action, new=obj, old=await self._existing(caller, action))
        if refused is not None:
            raise refused

    async def _existing(self, caller: Caller, action: Action) -> JsonObject | None:
        """The object that an agent is about to touch; nobody else's rights depend on it."""
        concerned = action.kind.resource == REPORTS and action.name and identities.runtime_of(caller.identity)
        if not concerned or action.verb == "create":
            return None
        found = await self._store.get(Key(REPORTS, action.namespace, action.name))
        return found.decoded() if found else None


def _controller_may(action: Action) -> bool:
    if action.kind.group == GROUP:
        return True
    if action.kind.resource == "events":
        return action.verb != "reveal"
    return action.kind.resource == "namespaces" and action.verb in _READS


def _agent_on_reports(
    identity: Identity, runtime: str, action: Action, new: FrozenJson | None, old: FrozenJson | None
) -> ApiError | None:
    if action.verb not in _REPORT_VERBS:
        return _forbidden(identity, action)
    if action.verb in _LISTS:
        wanted = (RUNTIME_LABEL, "in", frozenset({runtime}))
        return None if wanted in action.labels else _unselected(runtime)
    if old is not None and not _is_of(runtime, old):
        return NotFound(f'{REPORTS} "{action.name}" not found', kind=action.kind.plural, name=action.name)
    if new is not None and not _is_of(runtime, new):
        return Forbidden(
            f"An agent writes reports of its own runtime only: spec.runtimeRef.name has to be {runtime!r}.",
            kind=action.kind.plural,
            name=action.name,
        )
    return None


def _is_of(runtime: str, report: FrozenJson) -> bool:
    spec = report.get("spec")
    reference = spec.get("runtimeRef") if isinstance(spec, dict) else None
    return isinstance(reference, dict) and reference.get("name") == runtime


def _unselected(runtime: str) -> Forbidden:
    return Forbidden(f"An agent lists its own reports only: add labelSelector={RUNTIME_LABEL}={runtime}.")


def _forbidden(identity: Identity, action: Action) -> Forbidden:
    subresource = f"/{action.subresource}" if action.subresource else ""
    return Forbidden(
        f"{identity.name} may not {action.verb} {action.kind.resource}{subresource}"
        + (f" in namespace {action.namespace!r}" if action.namespace else "")
        + ": this identity has no such right.",
        kind=action.kind.plural,
        name=action.name,
    )
