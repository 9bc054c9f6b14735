"""A raw HTTP client: what goes over the wire is what the test says, refusals included."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from threeport.client.config import ClientSettings

GROUP = "/apis/threeport.io/v1alpha1"


@dataclass(frozen=True)
class Answer:
    """A status code, headers, and the body as text and (if it is JSON) decoded."""

    code: int
    headers: Any
    text: str
    json: Any


@dataclass(frozen=True)
class Http:
    """Requests of one caller."""

    session: aiohttp.ClientSession
    url: str

    @classmethod
    def of(cls, settings: ClientSettings) -> Http:
        """A client with the credentials of `settings`."""
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file)
        headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
        connector = aiohttp.TCPConnector(ssl=context)
        return cls(aiohttp.ClientSession(connector=connector, headers=headers), settings.url)

    async def __call__(self, method: str, path: str, json: object = None, **headers: str) -> Answer:
        """Sends a request as it is (the path is not normalized) and reads the whole answer."""
        content_type = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
        sent = {**content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = URL(self.url + path, encoded=True)
        async with self.session.request(method, url, json=json, headers=sent, allow_redirects=False) as response:
            text = await response.text()
            one = response.content_type == "application/json" and text and "watch=true" not in path
            decoded = await response.json() if one else None
            return Answer(response.status, response.headers, text, decoded)

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self("GET", path, **headers)

    async def post(self, path: str, json: object, **headers: str) -> Answer:
        """POST."""
        return await self("POST", path, json, **headers)

    async def put(self, path: str, json: object) -> Answer:
        """PUT."""
        return await self("PUT", path, json)

    async def patch(self, path: str, json: object) -> Answer:
        """PATCH, a merge-patch."""
        return await self("PATCH", path, json)

    async def delete(self, path: str, json: object = None) -> Answer:
        """DELETE."""
        return await self("DELETE", path, json)
