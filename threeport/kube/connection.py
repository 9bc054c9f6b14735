"""The way to a cluster: TLS from the texts of its access, and no redirects (CVE-2022-3172): credentials stay on it.

TLS libraries take a client certificate from files only, so for a moment it is in one that nobody else may read.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration

from threeport.kube.access import ClusterAccess
from threeport.kube.errors import AccessDenied


def api_client(access: ClusterAccess, *, connections: int) -> ApiClient:
    """A client with a pool of `connections`. Raises `AccessDenied` for certificates that are none."""
    configuration = Configuration(
        host=access.endpoint.rstrip("/"),
        ca_cert_data=access.certificate_authority,
        tls_server_name=access.tls_server_name,
        connection_pool_maxsize=connections,
        trace_configs=[no_redirects()],
        # Otherwise two threads look for a netrc and for a proxy before each request: a quarter of its CPU time.
        client_session_kwargs={"trust_env": False},
        proxy=_proxy_to(access.endpoint),
    )
    # As kubectl does: CAs of old clusters lack extensions that Python 3.13 insists on.
    configuration.disable_strict_ssl_verification = True
    if access.token:
        configuration.api_key = {"BearerToken": access.token}
        configuration.api_key_prefix = {"BearerToken": "Bearer"}
    with _usable(access), _client_certificate(access) as file:
        configuration.cert_file = configuration.key_file = str(file) if file else None
        return ApiClient(configuration)


def tls_context(access: ClusterAccess) -> ssl.SSLContext:
    """What a connection of another kind trusts and shows. Raises `AccessDenied` for certificates that are none."""
    with _usable(access), _client_certificate(access) as file:
        context = ssl.create_default_context(cadata=access.certificate_authority)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if file:
            context.load_cert_chain(file)
        return context


def no_redirects() -> aiohttp.TraceConfig:
    """Fails a request that is answered with a redirect."""
    tracing = aiohttp.TraceConfig()

    async def refuse(*_: object) -> None:
        raise aiohttp.ClientError("the cluster answered with a redirect, which is not followed")

    tracing.on_request_redirect.append(refuse)
    return tracing


def _proxy_to(endpoint: str) -> str | None:
    """The proxy that the environment names for this way, if it does."""
    way = urlsplit(endpoint)
    return None if proxy_bypass(way.hostname or "") else getproxies().get(way.scheme)


@contextmanager
def _client_certificate(access: ClusterAccess) -> Iterator[Path | None]:
    if not (access.client_certificate and access.client_key):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="threeport-") as directory:
        file = Path(directory, "tls.pem")
        file.touch(mode=0o600)
        file.write_text(f"{access.client_certificate.rstrip()}\n{access.client_key}")
        yield file


@contextmanager
def _usable(access: ClusterAccess) -> Iterator[None]:
    try:
        yield
    except (ssl.SSLError, TypeError, ValueError) as error:
        raise AccessDenied(
            f"what is given for {access.endpoint} as certificateAuthority, clientCertificate or clientKey is not the "
            f"PEM of one: {error}"
        ) from None
