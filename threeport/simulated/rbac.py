"""Role-based access control, decided from the roles and bindings in the cluster.

Source: Kubernetes, "Using RBAC Authorization". Left out: aggregated roles and escalation checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from threeport.common.errors import Forbidden
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.interfaces import Action, Caller, Identity
from threeport.simulated.world import World

MASTERS: Final = "system:masters"
"""The group that may do everything (Kubernetes, "Default Roles and Role Bindings")."""

_GROUP: Final = "rbac.authorization.k8s.io"


class RbacAuthorizer:
    """Implements `Authorizer` for one simulated cluster."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def authorize(self, caller: Caller, action: Action, obj: JsonObject | None = None) -> None:
        """Returns if a role bound to the caller allows the action; raises `Forbidden` as Kubernetes words it."""
        identity = caller.identity
        if MASTERS in identity.groups or any(_allows(rule, action) for rule in self._rules(identity, action.namespace)):
            return
        kind = action.kind
        resource = f"{kind.plural}/{action.subresource}" if action.subresource else kind.plural
        where = f' in the namespace "{action.namespace}"' if action.namespace else " at the cluster scope"
        raise Forbidden(
            f'{kind.resource} "{action.name}" is forbidden: User "{identity.name}" cannot {action.verb} '
            f'resource "{resource}" in API group "{kind.group}"{where}',
            kind=kind.plural,
            name=action.name,
        )

    def _rules(self, identity: Identity, namespace: str) -> Iterator[JsonObject]:
        bindings = self._world.all_of(f"clusterrolebindings.{_GROUP}")
        if namespace:
            bindings += self._world.all_of(f"rolebindings.{_GROUP}", namespace)
        for binding in bindings:
            subjects = binding.obj.get("subjects") or ()
            if any(_is(subject, identity, binding.key.namespace) for subject in subjects):
                yield from self._rules_of(binding.obj["roleRef"], binding.key.namespace)

    def _rules_of(self, role: FrozenJson, namespace: str) -> list[JsonObject]:
        if role["kind"] == "ClusterRole":
            found = self._world.get(f"clusterroles.{_GROUP}", "", role["name"])
        else:
            found = self._world.get(f"roles.{_GROUP}", namespace, role["name"])
        return found.obj.get("rules") or [] if found else []


def _is(subject: FrozenJson, identity: Identity, namespace: str) -> bool:
    if subject["kind"] == "ServiceAccount":
        return identity.name == f"system:serviceaccount:{subject.get('namespace') or namespace}:{subject['name']}"
    if subject["kind"] == "Group":
        return subject["name"] in identity.groups
    return bool(subject["name"] == identity.name)


def _allows(rule: FrozenJson, action: Action) -> bool:
    kind = action.kind
    resources = {kind.plural, "*"} if not action.subresource else {f"{kind.plural}/{action.subresource}", "*"}
    names = rule.get("resourceNames")
    return (
        _meets(rule.get("verbs"), {action.verb, "*"})
        and _meets(rule.get("apiGroups"), {kind.group, "*"})
        and _meets(rule.get("resources"), resources)
        and (not names or action.name in names)
    )


def _meets(given: list[str] | None, wanted: set[str]) -> bool:
    return not wanted.isdisjoint(given or ())
