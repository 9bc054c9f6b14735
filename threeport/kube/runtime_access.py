"""From a KubernetesRuntimeInstance, with its sensitive fields in clear, to the access to its cluster."""

from __future__ import annotations

from threeport.common.types import FrozenJson
from threeport.kube.access import ClusterAccess


def access_of(runtime: FrozenJson) -> ClusterAccess | None:
    """The access that the runtime's spec describes, or None while it has no endpoint."""
    spec = runtime["spec"]
    if not spec.get("endpoint"):
        return None
    return ClusterAccess(
        endpoint=spec["endpoint"],
        certificate_authority=spec.get("certificateAuthority"),
        token=spec.get("token"),
        client_certificate=spec.get("clientCertificate"),
        client_key=spec.get("clientKey"),
        tls_server_name=spec.get("tlsServerName"),
    )
