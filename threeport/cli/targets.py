"""From the documents of files to objects that the API knows the kinds of."""

from __future__ import annotations

from collections.abc import Sequence

from threeport.cli.documents import Document
from threeport.cli.errors import CliError
from threeport.cli.ordering import Target, in_namespace
from threeport.cli.session import insisted_namespace
from threeport.resources.kind import Catalog


def targets_of(documents: Sequence[Document], catalog: Catalog, namespace: str) -> list[Target]:
    """The objects with their kinds and namespaces.

    Raises `CliError` for a kind that the API does not have, for an object that is given twice, and for one that names
    another namespace than ``-n`` on the command line.
    """
    insisted = insisted_namespace()
    found: list[Target] = []
    seen: dict[tuple[str, str | None, str], str] = {}
    for document in documents:
        kind = catalog.by_kind(document.obj["apiVersion"], document.obj["kind"])
        if kind is None:
            raise CliError(f"{document.origin}: {_unknown(document, catalog)}")
        target = Target(kind, in_namespace(document.obj, kind, namespace))
        if insisted is not None and target.namespace not in (None, insisted):
            raise CliError(
                f"{document.origin}: {target} says that it is in namespace {target.namespace}, and -n says {insisted}. "
                "Leave one of them out."
            )
        key = (kind.resource, target.namespace, target.name)
        if key in seen:
            raise CliError(f"{document.origin}: {target} is given twice, first in {seen[key]}.")
        seen[key] = document.origin
        found.append(target)
    return found


def _unknown(document: Document, catalog: Catalog) -> str:
    version, kind = document.obj["apiVersion"], document.obj["kind"]
    same = [known.api_version for known in catalog if known.kind == kind]
    if same:
        return f"the API has no {kind} of {version}, but of {', '.join(same)}."
    return (
        f"the API has no kind {kind} of {version}. Objects of Kubernetes go into a Workload, "
        f"under spec.manifests (the path of a file will do)."
    )
