"""Manifests given as text become objects, so that whoever wrote them hears at once what is wrong with them."""

from __future__ import annotations

from threeport.apiserver.admission.fields import values_at
from threeport.common.errors import Invalid
from threeport.krm.interfaces import Admission
from threeport.resources.manifests import split_manifests


class ManifestAdmitter:
    """Splits the manifests of kinds that have some. Implements `Admitter`."""

    async def admit(self, admission: Admission) -> None:
        """Raises `Invalid`, naming object, field, document and line, for manifests that are no Kubernetes objects."""
        if admission.new is None or admission.subresource:
            return
        for path in admission.kind.manifests:
            *parents, last = path
            for parent in values_at(admission.new, tuple(parents)):
                if isinstance(parent, dict) and isinstance(parent.get(last), list):
                    parent[last] = _split(admission, parent[last], ".".join(path))


def _split(admission: Admission, items: list[object], field: str) -> list[object]:
    try:
        return [*split_manifests(items, field=field)]
    except Invalid as error:
        raise Invalid(
            f'{admission.kind.kind} "{admission.key.name}" is invalid: {error.message}',
            kind=admission.kind.kind,
            name=admission.key.name,
            causes=error.causes,
        ) from error
