"""The kinds of the API. A new kind is a module here, or in a package that names it as an entry point."""

from __future__ import annotations

import importlib
import pkgutil

from threeport.resources.kind import Catalog, Kind

ENTRY_POINTS = "threeport.resources"
"""Other packages add kinds by an entry point of this group that names a module with ``KINDS``."""


def load_catalog() -> Catalog:
    """All kinds: those of the modules in this package that have ``KINDS``, and those of entry points."""
    # Imported here: whoever wants a single kind need not wait for it.
    from importlib.metadata import entry_points

    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    modules += [point.load() for point in entry_points(group=ENTRY_POINTS)]
    kinds: list[Kind] = [kind for module in modules for kind in getattr(module, "KINDS", ())]
    return Catalog(kinds)
