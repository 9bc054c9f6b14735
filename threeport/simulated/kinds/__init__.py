"""The built-in kinds of Kubernetes that a simulated cluster has.

Their schemas are loose (whatever the real ones hold is kept), but know the lists that merge by key, so that
server-side apply and its conflicts behave, and the defaults that controllers rely on.
"""

from __future__ import annotations

from threeport.resources.kind import Catalog
from threeport.simulated.kinds import apps, batch, core, extensions, network, policy, rbac, storage


def built_in_kinds() -> Catalog:
    """A catalog of all built-in kinds; kinds that users define join it at run time."""
    modules = (core, apps, batch, network, storage, policy, rbac, extensions)
    return Catalog([kind for module in modules for kind in module.KINDS])
