"""Where objects live on the server: from a kind, a namespace and a name to a path."""

from __future__ import annotations

from urllib.parse import quote

from threeport.common.errors import BadRequest
from threeport.resources.kind import Kind


def collection_path(kind: Kind, namespace: str | None = None) -> str:
    """The path of all objects of a kind, in one namespace or (None, or a cluster-scoped kind) everywhere."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    middle = f"/namespaces/{quote(namespace, safe='')}" if namespace and kind.namespaced else ""
    return f"{root}{middle}/{kind.plural}"


def object_path(kind: Kind, name: str, namespace: str | None = None, subresource: str = "") -> str:
    """The path of one object. Raises `BadRequest` for an empty name, or where a namespace is needed and missing."""
    if not name or name in (".", ".."):
        raise BadRequest(f"{name!r} is no name of a {kind.kind}", kind=kind.kind, name=name)
    if kind.namespaced and not namespace:
        raise BadRequest(f"{kind.kind} {name!r}: say in which namespace", kind=kind.kind, name=name)
    tail = f"/{subresource}" if subresource else ""
    return f"{collection_path(kind, namespace)}/{quote(name, safe='')}{tail}"
