"""The answers to writes that the store refuses."""

from __future__ import annotations

from collections.abc import Sequence

from threeport.common.errors import AlreadyExists, ApiError, Conflict
from threeport.resources.kind import Catalog, Kind
from threeport.store.records import Key, NameTaken, StillReferenced


def explained(error: NameTaken | StillReferenced, kind: Kind, catalog: Catalog) -> ApiError:
    """The answer to a write of an object of this kind that the store refused."""
    if isinstance(error, StillReferenced):
        return in_use(kind, error.key, error.blockers, catalog)
    return already_exists(error.key, kind)


def already_exists(key: Key, kind: Kind) -> AlreadyExists:
    """The answer to a creation whose name is taken."""
    return AlreadyExists(f'{kind.resource} "{key.name}" already exists', kind=kind.plural, name=key.name)


def in_use(kind: Kind, key: Key, blockers: Sequence[Key], catalog: Catalog) -> Conflict:
    """The answer to a deletion that others' references stand against; it names them and the next step."""
    shown = [_described(blocker, catalog) for blocker in blockers[:10]]
    first = shown[0] if len(shown) == 1 else "these"
    return Conflict(
        f'{kind.resource} "{key.name}" cannot be deleted, because it is in use by {", ".join(shown)}; '
        f"delete {first} first",
        kind=kind.plural,
        name=key.name,
    )


def _described(key: Key, catalog: Catalog) -> str:
    kind = catalog.by_resource(key.resource)
    name = f"{key.namespace}/{key.name}" if key.namespace else key.name
    return f"{kind.kind if kind else key.resource} {name}"
