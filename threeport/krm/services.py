"""What all parts of one server share: its kinds, its storage, and its decisions about callers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from aiohttp import web

from threeport.krm.interfaces import Admitter, Authorizer, Caller, EventSource, ObjectStore, Secrecy
from threeport.krm.paths import Target
from threeport.krm.views import Views
from threeport.resources.kind import Catalog
from threeport.store.records import StoredObject

SubresourceHandler: TypeAlias = Callable[[web.Request, Caller, Target], Awaitable[web.StreamResponse]]
"""Answers a subresource that the server adds, such as ``pods/log``. It has been authorized as verb on the path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts that a `KrmServer` was made of."""

    catalog: Catalog
    store: ObjectStore
    events: EventSource
    authorizer: Authorizer
    secrecy: Secrecy
    views: Views
    admitters: Sequence[Admitter] = ()
    subresources: Mapping[tuple[str, str], SubresourceHandler] = field(default_factory=dict)
    """Further subresources by (resource, subresource): ``("pods", "log")``."""
    transactions: bool = False
    """Whether ``/apis/threeport.io/v1alpha1/transactions`` is served."""
    namespace_grace: float = 6.0
    """Seconds from the deletion of a namespace to its end: longer than any create that saw it alive may take."""
    garbage_collector: bool = False
    """Whether something acts on the finalizers by which a foreground or orphaning deletion holds an object."""
    written: Callable[[Sequence[StoredObject]], None] = lambda objects: None
    """Is told of what has been written here."""
