"""Roles, and who has them."""

from __future__ import annotations

from threeport.resources.kind import Column, Kind
from threeport.simulated.kinds.core import AGE
from threeport.simulated.kinds.schemas import root

_GROUP = "rbac.authorization.k8s.io"
_ROLE = Column("Role", ".roleRef.name")

KINDS = (
    Kind(
        kind="Role", plural="roles", singular="role", group=_GROUP, schema=root(), has_status=False, columns=(AGE,)
    ),
    Kind(
        kind="RoleBinding", plural="rolebindings", singular="rolebinding", group=_GROUP, schema=root(),
        has_status=False, columns=(_ROLE, AGE),
    ),
    Kind(
        kind="ClusterRole", plural="clusterroles", singular="clusterrole", group=_GROUP, namespaced=False,
        schema=root(), has_status=False, columns=(AGE,),
    ),
    Kind(
        kind="ClusterRoleBinding", plural="clusterrolebindings", singular="clusterrolebinding", group=_GROUP,
        namespaced=False, schema=root(), has_status=False, columns=(_ROLE, AGE),
    ),
)  # fmt: skip
