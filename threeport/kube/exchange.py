"""One request to a cluster and its answer, which may be neither endless nor something else than a Kubernetes API's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import aiohttp
import orjson
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.client.rest import RESTResponse

from threeport.common.types import FrozenJson, JsonObject
from threeport.kube import metrics
from threeport.kube.errors import NETWORK_ERRORS, ClusterFailed, from_network, not_kubernetes

TIMEOUT: Final = aiohttp.ClientTimeout(total=60, connect=10, sock_connect=5, sock_read=30)
"""Seconds: to find the address and connect, to connect, and without a byte of the answer."""

LARGEST_ANSWER: Final = 128 * 2**20
"""Bytes of an answer, unpacked. A page of 500 objects rarely has a tenth of that."""

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked; `names` fill the placeholders of the path, `subject` names the object in errors."""

    method: str = "GET"
    path: str
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: FrozenJson | None = None
    content_type: str = JSON
    accept: str = JSON
    subject: str = ""


class Answer(NamedTuple):
    """An answer of any status, and its body."""

    response: RESTResponse
    text: bytes


async def exchange(api: ApiClient, request: Request, endpoint: str) -> Answer:
    """The answer, whatever it is. Raises what `from_network` makes of a failure, `ClusterFailed` if it is too large."""
    with metrics.measured(request.method) as outcome:
        try:
            sent = await api.param_serialize(
                request.method,
                request.path,
                path_params={name: value for name, value in request.names.items() if f"{{{name}}}" in request.path},
                query_params=list(request.query.items()),
                header_params={"Accept": request.accept, "Content-Type": request.content_type},
                body=request.body,
                auth_settings=["BearerToken"],
            )
            response = await api.call_api(*sent, _request_timeout=TIMEOUT)
            outcome.code = str(response.status)
            return Answer(response, await _read(response.response, request, endpoint))
        except NETWORK_ERRORS as error:
            raise from_network(error, endpoint) from error


def object_in(answer: Answer, endpoint: str) -> JsonObject:
    """The object that is the answer. Raises `ApiException` unless the status is 2xx, `ClusterUnreachable` if there is
    none."""
    response, text = answer
    if not 200 <= response.status <= 299:
        raise ApiException(http_resp=response, body=text.decode(errors="replace"), data=None)
    try:
        decoded = orjson.loads(text)
    except orjson.JSONDecodeError:
        decoded = None
    if not isinstance(decoded, dict):
        raise not_kubernetes(endpoint, "no JSON object")
    return decoded


async def _read(response: aiohttp.ClientResponse, request: Request, endpoint: str) -> bytes:
    text = bytearray()
    async with response:
        async for chunk in response.content.iter_any():
            text += chunk
            if len(text) > LARGEST_ANSWER:
                response.close()  # the rest is not worth reading
                raise ClusterFailed(
                    f"{endpoint} answers {request.method} {request.path} with more than {LARGEST_ANSWER} bytes, which "
                    "are not read: see what answers at this address, and what fills the cluster"
                )
    return bytes(text)
