"""Who calls: told by a client certificate or a bearer token, and by nothing else.

No header but ``Authorization`` conveys identity: a server that trusts ``X-Remote-User`` or a forwarded certificate
trusts whoever can reach it.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from aiohttp import hdrs, web

from threeport.apiserver.settings import Settings
from threeport.apiserver.tokens import Tokens
from threeport.common.errors import Unauthorized
from threeport.krm.interfaces import Identity

UNAUTHENTICATED_PATHS = frozenset({"/livez", "/readyz", "/healthz"})
"""The only paths that answer without authentication: probes have no credentials, and learn nothing but a state."""


class Credentials(NamedTuple):
    """Who calls, until when that is proven (seconds since the epoch), and on the life of which object it hangs."""

    identity: Identity
    expires: float = math.inf
    uid: str | None = None


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer; a client may show a certificate, which must then be of the client authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    context.load_verify_locations(settings.client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def authenticate(request: web.Request, tokens: Tokens) -> Credentials:
    """The caller of a request. A token, where one is sent, decides; else the connection's certificate.

    Raises `Unauthorized` if there is neither, or the token is bad.
    """
    header = request.headers.getall(hdrs.AUTHORIZATION, [])
    if header:
        return _from_token(header, tokens)
    certificate = request.get_extra_info("peercert")
    if certificate:
        return credentials_of(certificate)
    raise Unauthorized("The request has neither a client certificate nor a bearer token: send one of them.")


def credentials_of(certificate: Mapping[str, Any]) -> Credentials:
    """The identity in a verified certificate (as `ssl.SSLSocket.getpeercert` gives it): CN, and O's as groups."""
    return _credentials_of(certificate.get("subject", ()), certificate["notAfter"])


@lru_cache(maxsize=1024)
def _credentials_of(distinguished_name: tuple[tuple[tuple[str, str], ...], ...], not_after: str) -> Credentials:
    subject = [part for parts in distinguished_name for part in parts]
    names = [value for key, value in subject if key == "commonName"]
    if len(names) != 1 or not names[0]:
        raise Unauthorized("The client certificate has not exactly one common name: use one that this API's CA issued.")
    groups = tuple(value for key, value in subject if key == "organizationName")
    return Credentials(Identity(names[0], groups), ssl.cert_time_to_seconds(not_after))


def _from_token(headers: list[str], tokens: Tokens) -> Credentials:
    scheme, _, token = headers[0].partition(" ")
    if len(headers) != 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("The Authorization header is not `Bearer <token>`, once.")
    claims = tokens.check(token.strip())
    return Credentials(claims.identity, claims.expires, claims.uid)
