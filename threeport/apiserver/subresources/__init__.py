"""Views into the cluster of a WorkloadInstance: its pods, their logs, and their ports.

The API goes there with the runtime's credentials, which never leave it. It shows what the instance put there and
nothing else: pods that carry the instance's uid in their label.
"""

from __future__ import annotations

from typing import Final

from threeport.apiserver.subresources.log import LogView
from threeport.apiserver.subresources.placement import Placements
from threeport.apiserver.subresources.pods import PodsView
from threeport.apiserver.subresources.port_forward import PortForwardView
from threeport.krm.interfaces import Authorizer, ObjectStore, Secrecy
from threeport.krm.services import SubresourceHandler
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadInstance

INSTANCES: Final = kind_of(WorkloadInstance).resource


def views_into_clusters(
    store: ObjectStore, secrecy: Secrecy, authorizer: Authorizer
) -> dict[tuple[str, str], SubresourceHandler]:
    """The subresources ``pods``, ``log`` and ``portforward``, for `KrmServer`."""
    placements = Placements(store, secrecy)
    return {
        (INSTANCES, "pods"): PodsView(placements).answer,
        (INSTANCES, "log"): LogView(placements).answer,
        (INSTANCES, "portforward"): PortForwardView(placements, authorizer).answer,
    }
