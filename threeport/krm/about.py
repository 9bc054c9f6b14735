"""What the server says of itself: its version, the kinds that it serves, and their schemas."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from threeport.common.errors import NotFound
from threeport.krm import discovery
from threeport.krm.answers import json_answer
from threeport.krm.interfaces import Caller
from threeport.krm.openapi.documents import OpenApi
from threeport.krm.services import Services

KUBERNETES_VERSION = ("1", "36")
"""The version of Kubernetes whose protocol is spoken."""


def is_about_server(path: Sequence[str]) -> bool:
    """Whether a path speaks of the server itself, and not of objects."""
    return path[0] in ("openapi", "version") or len(path) <= (2 if path[0] == "api" else 3)


class About:
    """Answers requests about the server."""

    def __init__(self, services: Services, git_version: str) -> None:
        self._services = services
        self._git_version = git_version
        self._openapi = OpenApi(services.catalog)

    def answer(self, request: web.Request, caller: Caller, path: Sequence[str]) -> web.Response:
        """The answer to a GET of a path that `is_about_server`. Raises `NotFound` and `NotAcceptable`."""
        catalog = self._services.catalog
        aggregated = discovery.aggregated_version(request.headers.get("Accept", ""))
        match path:
            case ["version"]:
                major, minor = KUBERNETES_VERSION
                return json_answer({"major": major, "minor": minor, "gitVersion": self._git_version, "platform": ""})
            case ["api" | "apis" as root] if aggregated:
                return self._aggregated(caller, root, aggregated)
            case ["api"]:
                return json_answer(discovery.core_versions())
            case ["apis"]:
                return json_answer(discovery.groups(catalog))
            case ["apis", group]:
                return json_answer(discovery.group(catalog, group))
            case ["api", version]:
                return json_answer(self._resources(caller, "", version))
            case ["apis", group, version]:
                return json_answer(self._resources(caller, group, version))
            case ["openapi", *rest]:
                return self._openapi.answer(rest, request.query, request.headers)
        raise NotFound("the server could not find the requested resource")

    def _aggregated(self, caller: Caller, root: str, version: str) -> web.Response:
        body = discovery.aggregated(
            self._services.catalog,
            core=root == "api",
            version=version,
            merged_status=caller.controller is not None,
            subresources=self._services.subresources,
        )
        answer = json_answer(body)
        answer.headers["Content-Type"] = discovery.aggregated_type(version)
        answer.headers["Vary"] = "Accept"
        return answer

    def _resources(self, caller: Caller, group: str, version: str) -> dict[str, object]:
        merged = caller.controller is not None
        return discovery.resources(
            self._services.catalog, group, version, merged_status=merged, subresources=self._services.subresources
        )
