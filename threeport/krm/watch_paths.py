"""Which requests are watches: those of a collection with ``watch=true``, and those of the paths of old clients.

``/api/v1/watch/...`` and ``/apis/<group>/<version>/watch/...`` are deprecated since Kubernetes 1.11, and still what
some libraries offer. Such a path names a collection, or one object, behind ``watch``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiohttp import web

from threeport.common.errors import MethodNotAllowed
from threeport.krm.negotiation import is_true

_PREFIX = re.compile(r"/(?:api|apis/[^/]+)/[^/]+/watch/[^/]")


def is_watch(request: web.Request) -> bool:
    """Whether the request asks for a watch, which lives long and is limited and measured differently."""
    return request.method == "GET" and (is_true(request.query, "watch") or bool(_PREFIX.match(request.path)))


def without_prefix(request: web.Request, path: Sequence[str]) -> tuple[web.Request, list[str]]:
    """The request and path that ask a collection for the watch that a path with ``watch``, or one object, is asked for.

    Any others stay as they are.
    Raises `MethodNotAllowed` for what is no GET.
    """
    place = 2 if path[0] == "api" else 3
    if path[0] not in ("api", "apis") or len(path) <= place + 1:
        return request, list(path)
    rest = list(path[place:])
    if rest[0] == "watch":
        if request.method != "GET":
            raise MethodNotAllowed(f"{request.method} is not possible on {request.path}")
        del rest[0]
    elif not (is_watch(request) and len(rest) in (2, 4)):
        return request, list(path)
    query = dict(request.query, watch="true")
    if len(rest) in (2, 4):
        query["fieldSelector"] = ",".join(filter(None, (query.get("fieldSelector"), f"metadata.name={rest.pop()}")))
    return request.clone(rel_url=request.rel_url.with_query(query)), [*path[:place], *rest]
