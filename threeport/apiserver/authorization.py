"""What an identity may do. `decide` is the one place in the code that says so.

| who | may |
|---|---|
| admins | everything |
| controllers | read and write all of Threeport's kinds, see sensitive fields, write Events, read Namespaces |
| viewers | read all kinds, sensitive fields redacted |
| only admins | look into clusters by way of the API (pods, logs and ports of an instance) |
| the controller ``kubernetes-runtime`` | get tokens for agents |
| an agent | read and write the WorkloadReports and the heartbeat of its own runtime, and read that runtime (redacted) |

Whoever is authenticated may read what the API offers (discovery, OpenAPI); an agent's refusals tell no names.
"""

from __future__ import annotations

from typing import Final

from threeport.apiserver import identities
from threeport.common.errors import ApiError, Forbidden, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.interfaces import Action, Caller, Identity, Verb
from threeport.kube.labels import RUNTIME_LABEL

REPORTS: Final = "workloadreports.threeport.io"
RUNTIMES: Final = "kubernetesruntimeinstances.threeport.io"
HEARTBEATS: Final = "agentheartbeats.threeport.io"
"""Signs of life of agents, each named as its runtime."""

AGENT_TOKEN: Final = "agenttoken"  # noqa: S105 - the name of a path
"""Subresource of a runtime that makes a token for its agent."""
_INSTALLER: Final = "kubernetes-runtime"
"""The controller that installs agents."""

INTO_CLUSTERS: Final = frozenset({"pods", "log", "portforward"})
"""Subresources of a WorkloadInstance that look into its cluster: for people, not for controllers and agents."""

_READS: Final[frozenset[Verb]] = frozenset({"get", "list", "watch"})
_VIEWS: Final = frozenset({"", "status"})
"""What of an object viewers read: subresources may lead into clusters, or give tokens."""
_LISTS: Final[frozenset[Verb]] = frozenset({"list", "watch"})
_REPORT_VERBS: Final[frozenset[Verb]] = frozenset({"get", "list", "watch", "create", "update", "patch", "delete"})

_HEARTBEAT_VERBS: Final[frozenset[Verb]] = frozenset({"get", "create", "update", "patch"})


def decide(identity: Identity, action: Action, obj: FrozenJson | None) -> ApiError | None:
    """None if `identity` may do `action`, else the error to answer with.

    `obj` is the object that is there or is to be written; without one: whether the action may be allowed on any.
    """
    if identities.is_admin(identity):
        return None
    controller = identities.controller_of(identity)
    if controller is not None:
        return None if _controller_may(controller, action) else _forbidden(identity, action)
    if identities.is_viewer(identity):
        looks = action.verb in _READS and action.subresource in _VIEWS
        return None if looks else _forbidden(identity, action)
    runtime = identities.runtime_of(identity)
    if runtime is None:
        return _forbidden(identity, action)
    if action.kind.resource == REPORTS and not action.subresource:
        return _agent_on_reports(identity, runtime, action, obj)
    if action.kind.resource == HEARTBEATS and not action.subresource:
        its_own = action.name == runtime and action.verb in _HEARTBEAT_VERBS
        return None if its_own else _forbidden(identity, action)
    its_runtime = action.kind.resource == RUNTIMES and action.verb == "get" and action.name == runtime
    return None if its_runtime and not action.subresource else _forbidden(identity, action)


class RoleAuthorizer:
    """Asks `decide`. Implements `Authorizer`."""

    async def authorize(self, caller: Caller, action: Action, obj: JsonObject | None = None) -> None:
        """Returns if allowed. Raises `Forbidden`, or `NotFound` where that is all that the caller may know."""
        refused = decide(caller.identity, action, obj)
        if refused is not None:
            raise refused


def _controller_may(controller: str, action: Action) -> bool:
    if action.kind.resource == RUNTIMES and action.subresource == AGENT_TOKEN:
        return controller == _INSTALLER and action.verb == "create"
    if action.kind.group:  # also that of a package that adds kinds: only Events and Namespaces have none
        return action.subresource not in INTO_CLUSTERS
    if action.kind.resource == "events":
        return action.verb != "reveal"
    return action.kind.resource == "namespaces" and action.verb in _READS


def _agent_on_reports(identity: Identity, runtime: str, action: Action, obj: FrozenJson | None) -> ApiError | None:
    if action.verb not in _REPORT_VERBS:
        return _forbidden(identity, action)
    if action.verb in _LISTS:
        wanted = (RUNTIME_LABEL, "in", frozenset({runtime}))
        return None if wanted in action.labels else _unselected(runtime)
    if obj is None or _is_of(runtime, obj):
        return None
    if action.verb == "create":
        return Forbidden(
            f"An agent writes reports of its own runtime only: spec.runtimeRef.name has to be {runtime!r}.",
            kind=action.kind.plural,
            name=action.name,
        )
    return NotFound(f'{REPORTS} "{action.name}" not found', kind=action.kind.plural, name=action.name)


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
