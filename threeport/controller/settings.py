"""How kopf is set up, the same for every controller.

One handling cycle per change (`all_at_once`), one finalizer and one annotation prefix per controller so that two never
see each other's bookkeeping, no Events from kopf (ours go out when a decision changes), no peering (leases do that).
"""

from __future__ import annotations

import kopf

from threeport.controller.progress import GenerationDiffBase, ProgressOfGeneration
from threeport.resources.kind import bookkeeping_prefix_of, finalizer_of


def configure(settings: kopf.OperatorSettings, controller: str) -> None:
    """Sets what `controller` needs; see the documentation of kopf for the meaning of each."""
    prefix = bookkeeping_prefix_of(controller)
    settings.persistence.finalizer = finalizer_of(controller)
    settings.persistence.progress_storage = ProgressOfGeneration(prefix=prefix, v1=False)
    settings.persistence.diffbase_storage = GenerationDiffBase(prefix=prefix, v1=False)
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.queueing.idle_timeout = 1.0
    settings.watching.chunk_size = 500
    settings.background.instant_exit_timeout = 0.1
    settings.background.cancellation_polling = 2
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
