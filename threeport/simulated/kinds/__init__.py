"""The built-in kinds of Kubernetes that a simulated cluster has.

What is written down here are the defaults that controllers rely on and the lists that merge by key, so that server-side
apply and its conflicts behave; names and types of all fields come from a real API server (`fields`).
"""

from __future__ import annotations

from threeport.resources.kind import Catalog
from threeport.simulated.kinds import apps, batch, core, extensions, fields, network, policy, rbac, storage

FIELDS = fields.FIELDS


def built_in_kinds(*, checked: bool = True) -> Catalog:
    """A catalog of all built-in kinds; kinds that users define join it at run time.

    `checked`: with the fields of the real kinds and no others. Without it any field is kept.
    """
    modules = (core, apps, batch, network, storage, policy, rbac, extensions)
    kinds = [kind for module in modules for kind in module.KINDS]
    return Catalog([fields.checked(kind) for kind in kinds] if checked else kinds)
