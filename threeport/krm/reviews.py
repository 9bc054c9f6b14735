"""What a caller may do, and who it is, as it can ask itself: ``kubectl auth can-i`` and ``kubectl auth whoami``.

Source: Kubernetes, ``SelfSubjectAccessReview``, ``SelfSubjectRulesReview`` and ``SelfSubjectReview``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias, cast, get_args

from threeport.common.errors import BadRequest, Forbidden, NotFound
from threeport.common.types import FrozenJson, JsonObject
from threeport.krm.interfaces import Action, Authorizer, Caller, LabelRequirement, Verb
from threeport.resources.kind import Catalog, Kind

AUTHORIZATION: Final = "authorization.k8s.io"
AUTHENTICATION: Final = "authentication.k8s.io"
VERSION: Final = "v1"

_VERBS: Final[tuple[str, ...]] = get_args(Verb)
_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "notexists"}
_OPEN_PATHS: Final = ("/api", "/apis", "/openapi", "/version", "/healthz", "/livez", "/readyz")

_QUESTION: FrozenJson = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _kind(kind: str, group: str) -> Kind:
    return Kind(
        kind=kind, plural=f"{kind.lower()}s", singular=kind.lower(), group=group, version=VERSION, namespaced=False,
        has_status=False, schema={"type": "object", "properties": {"spec": _QUESTION, "status": _QUESTION}},
    )  # fmt: skip


_ACCESS: Final = _kind("SelfSubjectAccessReview", AUTHORIZATION)
_RULES: Final = _kind("SelfSubjectRulesReview", AUTHORIZATION)
_SELF: Final = _kind("SelfSubjectReview", AUTHENTICATION)
KINDS: Final = (_ACCESS, _RULES, _SELF)
"""Reviews as discovery and OpenAPI tell of them. They are asked and answered, never stored."""

Review: TypeAlias = Callable[[Caller, FrozenJson], Awaitable[JsonObject]]
"""Makes the status of a review from its spec."""


class Reviews:
    """Answers reviews: by asking the authorizer what it would say to a request."""

    def __init__(self, catalog: Catalog, authorizer: Authorizer) -> None:
        self._catalog = catalog
        self._authorizer = authorizer
        reviews: Mapping[str, Review] = {
            _ACCESS.resource: self._access, _RULES.resource: self._rules, _SELF.resource: self._self
        }  # fmt: skip
        self._reviews = {kind.resource: (kind, reviews[kind.resource]) for kind in KINDS}

    async def answer(self, caller: Caller, group: str, plural: str, body: FrozenJson) -> JsonObject:
        """The review with its status. Raises `NotFound` for one that is none, `BadRequest` for a spec that is none."""
        if f"{plural}.{group}" not in self._reviews:
            raise NotFound(f"there is no {plural} in {group}")
        kind, review = self._reviews[f"{plural}.{group}"]
        spec = body.get("spec") or {}
        if not isinstance(spec, dict):
            raise BadRequest(f"spec of a {kind.kind} must be an object")
        status = await review(caller, spec)
        return {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {}, "spec": spec, "status": status}

    async def _access(self, caller: Caller, spec: FrozenJson) -> JsonObject:
        wanted, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        if isinstance(path, dict):
            allowed = path.get("verb") == "get" and str(path.get("path")).startswith(_OPEN_PATHS)
            return {"allowed": allowed}
        if not isinstance(wanted, dict):
            raise BadRequest("spec must have resourceAttributes or nonResourceAttributes")
        verbs, kinds = self._verbs(str(wanted.get("verb"))), self._kinds(wanted)
        if not verbs or not kinds:
            return {"allowed": False, "reason": "there is no such resource, or no such verb, here"}
        for kind in kinds:
            for verb in verbs:
                if reason := await self._refusal(caller, _action(verb, kind, wanted)):
                    return {"allowed": False, "reason": reason}
        return {"allowed": True}

    def _verbs(self, verb: str) -> tuple[str, ...]:
        return _VERBS if verb == "*" else (verb,) if verb in _VERBS else ()

    def _kinds(self, wanted: FrozenJson) -> list[Kind]:
        group, plural = wanted.get("group") or "", wanted.get("resource")
        return [kind for kind in self._catalog if group in ("*", kind.group) and plural in ("*", kind.plural)]

    async def _refusal(self, caller: Caller, action: Action) -> str | None:
        try:
            await self._authorizer.authorize(caller, action)
        except (Forbidden, NotFound) as error:
            return error.message
        return None

    async def _rules(self, caller: Caller, spec: FrozenJson) -> JsonObject:
        rules: list[JsonObject] = []
        for kind in self._catalog:
            actions = [_action(verb, kind, spec) for verb in _VERBS]
            verbs = [action.verb for action in actions if not await self._refusal(caller, action)]
            if verbs:
                rules.append({"verbs": verbs, "apiGroups": [kind.group], "resources": [kind.plural]})
        paths = [{"verbs": ["get"], "nonResourceURLs": [path, f"{path}/*"]} for path in _OPEN_PATHS]
        return {"resourceRules": rules, "nonResourceRules": paths, "incomplete": False}

    async def _self(self, caller: Caller, spec: FrozenJson) -> JsonObject:
        return {"userInfo": {"username": caller.identity.name, "groups": list(caller.identity.groups)}}


def _action(verb: str, kind: Kind, wanted: FrozenJson) -> Action:
    return Action(
        cast(Verb, verb),
        kind,
        namespace=str(wanted.get("namespace") or "") if kind.namespaced else "",
        name=str(wanted.get("name") or ""),
        subresource=str(wanted.get("subresource") or ""),
        labels=_labels(wanted.get("labelSelector")),
    )


def _labels(selector: object) -> tuple[LabelRequirement, ...]:
    requirements = selector.get("requirements") if isinstance(selector, dict) else None
    if not isinstance(requirements, list):
        return ()
    return tuple(
        cast(LabelRequirement, (str(one.get("key")), _OPERATORS[one["operator"]], frozenset(_texts(one.get("values")))))
        for one in requirements
        if isinstance(one, dict) and one.get("operator") in _OPERATORS
    )


def _texts(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []
