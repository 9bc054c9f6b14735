"""The few requests that starting a cluster needs, made as its administrator."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any

from tests.cluster.errors import ClusterError
from tests.cluster.ports import LOOPBACK

TIMEOUT_SECONDS = 5.0
FIELD_MANAGER = "test-cluster"


class AdministratorApi:
    """The API of one cluster. A server that does not answer is an OSError, as ever."""

    def __init__(self, *, port: int, certificates: Path) -> None:
        """Speak to the server at `port` of loopback with the certificates of `make_certificates`."""
        self._port = port
        self._tls = ssl.create_default_context(cafile=certificates / "ca.crt")
        self._tls.load_cert_chain(certificates / "admin.crt", certificates / "admin.key")

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of the answer to GET `path`."""
        return self._request("GET", path)

    def get_json(self, path: str) -> dict[str, Any]:
        """The object at `path`; empty if the server refuses it or it does not exist (yet)."""
        status, body = self.get(path)
        document: dict[str, Any] = json.loads(body) if status == http.HTTPStatus.OK else {}
        return document

    def apply(self, path: str, manifest: str) -> None:
        """Server-side apply of one object, in YAML or JSON."""
        status, body = self._request("PATCH", f"{path}?fieldManager={FIELD_MANAGER}&force=true", manifest)
        if status not in (http.HTTPStatus.OK, http.HTTPStatus.CREATED):
            raise ClusterError(f"The new cluster refuses {path}: {status} {body.decode(errors='replace')[:500]}")

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(LOOPBACK, self._port, context=self._tls, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {"Content-Type": "application/apply-patch+yaml"} if body else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
