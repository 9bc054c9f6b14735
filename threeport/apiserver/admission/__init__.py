"""What a write has to pass beyond the schema of its kind: steps that look at other objects, or rewrite the object."""

from __future__ import annotations

from threeport.apiserver.admission.manifests import ManifestAdmitter
from threeport.apiserver.admission.namespaces import NamespaceAdmitter
from threeport.apiserver.admission.references import ReferenceAdmitter
from threeport.apiserver.admission.reports import ReportAdmitter
from threeport.apiserver.admission.revisions import RevisionAdmitter
from threeport.apiserver.admission.runtimes import DefaultRuntimeAdmitter, RuntimeNameAdmitter
from threeport.krm.interfaces import Admitter, Authorizer, ObjectStore
from threeport.resources.kind import Catalog


def admission_steps(catalog: Catalog, store: ObjectStore, authorizer: Authorizer) -> list[Admitter]:
    """The steps of the Threeport API in their order: cheap ones first, so that a refused write costs little."""
    return [
        ReportAdmitter(),
        RevisionAdmitter(),
        ManifestAdmitter(),
        NamespaceAdmitter(),
        RuntimeNameAdmitter(),
        DefaultRuntimeAdmitter(store),
        ReferenceAdmitter(catalog, store, authorizer),
    ]
