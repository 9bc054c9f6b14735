"""How a cluster is reached and what lets us in."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAccess:
    """Endpoint and credentials of a cluster: a bearer token, or a client certificate with its key (all PEM text)."""

    endpoint: str
    """``https://host:port``, with a path prefix if the API has one."""
    certificate_authority: str | None = None
    token: str | None = field(default=None, repr=False)
    client_certificate: str | None = None
    client_key: str | None = field(default=None, repr=False)
    tls_server_name: str | None = None

    def digest(self) -> str:
        """Tells accesses apart without showing them: a connection is good for as long as this stays the same."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()
