"""Small imitations of kube-controller-manager, scheduler and kubelet. Each looks at one object and takes one step.

They are level-triggered: a controller is called with the key of an object whenever that object, or one that it owns,
has changed; it compares and corrects, and may be called again at any time.
"""

from __future__ import annotations

from threeport.simulated.controllers.controller import Controller
from threeport.simulated.controllers.daemon_sets import DaemonSets
from threeport.simulated.controllers.definitions import Definitions
from threeport.simulated.controllers.deployments import Deployments
from threeport.simulated.controllers.jobs import Jobs
from threeport.simulated.controllers.kubelet import Kubelet
from threeport.simulated.controllers.namespaces import ServiceAccounts
from threeport.simulated.controllers.network import Addresses
from threeport.simulated.controllers.policy import Policies
from threeport.simulated.controllers.replica_sets import ReplicaSets
from threeport.simulated.controllers.stateful_sets import StatefulSets
from threeport.simulated.controllers.volumes import Volumes


def all_controllers() -> list[Controller]:
    """Every controller that a simulated cluster runs."""
    return [
        ServiceAccounts(), Definitions(), Volumes(), Addresses(), Policies(),
        Kubelet(), ReplicaSets(), Deployments(), StatefulSets(), DaemonSets(), Jobs(),
    ]  # fmt: skip
