"""Discovery: which groups, versions and kinds there are (``/api``, ``/apis``, ``/apis/<group>/<version>``).

Clients ask for it piece by piece, or (since Kubernetes 1.27) for all of ``/api`` or ``/apis`` at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from threeport.common.errors import NotFound
from threeport.common.types import JsonObject
from threeport.krm import reviews
from threeport.resources.kind import Catalog, Kind

_READ = ["get", "list", "watch"]
_ASKED = ["create"]
_VERBS = ["create", "delete", "deletecollection", *_READ, "patch", "update"]


def core_versions() -> JsonObject:
    """The answer of ``/api``."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}],
    }


def groups(catalog: Catalog) -> JsonObject:
    """The answer of ``/apis``: all named groups."""
    names = sorted({group for group, _ in _versions(catalog) if group})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(catalog, name) for name in names]}


def group(catalog: Catalog, name: str) -> JsonObject:
    """The answer of ``/apis/<group>``; raises `NotFound`."""
    if not name or all(found != name for found, _ in _versions(catalog)):
        raise NotFound(f"there is no API group {name!r} here")
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(catalog, name)}


def _kinds(catalog: Catalog) -> list[Kind]:
    """What is served: the kinds of the catalog, and the reviews."""
    return [*catalog, *reviews.KINDS]


def _versions(catalog: Catalog) -> list[tuple[str, str]]:
    return sorted({(kind.group, kind.version) for kind in _kinds(catalog)})


def _verbs(kind: Kind) -> list[str]:
    return _ASKED if kind in reviews.KINDS else _VERBS


def _group(catalog: Catalog, name: str) -> JsonObject:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for found, version in _versions(catalog)
        if found == name
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resources(
    catalog: Catalog, group: str, version: str, *, merged_status: bool, subresources: Iterable[tuple[str, str]]
) -> JsonObject:
    """The answer of ``/apis/<group>/<version>``; raises `NotFound`.

    `merged_status`: leave ``/status`` out, since at a controller's door status is written with the object. Then kopf
    needs one PATCH a reconcile, and cannot lose a status between two.
    """
    kinds = [kind for kind in _kinds(catalog) if (kind.group, kind.version) == (group, version)]
    if not kinds and (group, version) != ("", "v1"):
        raise NotFound(f"there is no API {group}/{version} here; /apis lists what there is")
    listed: list[JsonObject] = []
    for kind in kinds:
        listed.append(_resource(kind))
        if kind.has_status and not merged_status:
            listed.append(_subresource(kind, "status", ["get", "patch", "update"]))
        listed += [
            {**_subresource(kind, name, _subresource_verbs(name)), **_OTHER_KINDS.get(name, {})}
            for owner, name in subresources
            if owner == kind.resource
        ]
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}


_OTHER_KINDS: Mapping[str, JsonObject] = {"scale": {"group": "autoscaling", "version": "v1", "kind": "Scale"}}
"""Subresources that answer with another kind than their object's."""


def _subresource_verbs(name: str) -> list[str]:
    return ["get", "patch", "update"] if name == "scale" else ["get", "create"]


def _resource(kind: Kind) -> JsonObject:
    entry: JsonObject = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": _verbs(kind),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    return entry


def _subresource(kind: Kind, name: str, verbs: list[str]) -> JsonObject:
    return {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": verbs,
    }


_AGGREGATED = "apidiscovery.k8s.io"


def aggregated_version(accept: str) -> str | None:
    """The version of aggregated discovery that an Accept header prefers; None if it asks for none that exists."""
    for offer in accept.split(","):
        wanted = dict(part.strip().partition("=")[::2] for part in offer.split(";"))
        if wanted.get("g") == _AGGREGATED and wanted.get("as") == "APIGroupDiscoveryList":
            if wanted.get("v") in ("v2", "v2beta1"):
                return wanted["v"]
        elif "application/json" in wanted:
            return None
    return None


def aggregated_type(version: str) -> str:
    """The content type of an answer with aggregated discovery."""
    return f"application/json;g={_AGGREGATED};v={version};as=APIGroupDiscoveryList"


def aggregated(
    catalog: Catalog, *, core: bool, version: str, merged_status: bool, subresources: Iterable[tuple[str, str]]
) -> JsonObject:
    """All groups of ``/apis``, or (`core`) the one of ``/api``, with their kinds. `merged_status`: see `resources`."""
    names = [""] if core else sorted({group for group, _ in _versions(catalog) if group})
    extra = tuple(subresources)
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"{_AGGREGATED}/{version}",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name},
                "versions": [
                    {
                        "version": found,
                        "freshness": "Current",
                        "resources": [
                            _discovered(kind, merged_status=merged_status, subresources=extra)
                            for kind in _kinds(catalog)
                            if (kind.group, kind.version) == (group, found)
                        ],
                    }
                    for group, found in _versions(catalog)
                    if group == name
                ],
            }
            for name in names
        ],
    }


def _discovered(kind: Kind, *, merged_status: bool, subresources: Iterable[tuple[str, str]]) -> JsonObject:
    response = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    entry: JsonObject = {
        "resource": kind.plural,
        "responseKind": response,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": _verbs(kind),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
    }
    parts = [
        {"subresource": name, "verbs": _subresource_verbs(name), "responseKind": _OTHER_KINDS.get(name, response)}
        for owner, name in subresources
        if owner == kind.resource
    ]
    if kind.has_status and not merged_status:
        parts.insert(0, {"subresource": "status", "verbs": ["get", "patch", "update"]})
    if parts:
        entry["subresources"] = [{"responseKind": response, **part} for part in parts]
    return entry
