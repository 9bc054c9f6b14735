"""All that plans and carries out the writes of one server."""

from __future__ import annotations

from threeport.krm.namespaces import Namespaces
from threeport.krm.services import Services
from threeport.krm.writing.applying import Applier
from threeport.krm.writing.committing import Committer
from threeport.krm.writing.creating import Creator
from threeport.krm.writing.deleting import Deleter
from threeport.krm.writing.updating import Updater


class Writer:
    """What plans each sort of write, and what commits the plans."""

    def __init__(self, services: Services, namespaces: Namespaces) -> None:
        self.creator = Creator(services, namespaces)
        self.updater = Updater(services)
        self.applier = Applier(services, self.creator, self.updater)
        self.deleter = Deleter(services)
        self.committer = Committer(services, namespaces)
