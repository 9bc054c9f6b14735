"""Who calls a simulated cluster: its administrator by the token of the process, or a ServiceAccount by a JWT."""

from __future__ import annotations

import hmac
import time
from datetime import UTC, datetime
from typing import Final

import jwt
from aiohttp import web

from threeport.common.errors import BadRequest, NotFound, Unauthorized
from threeport.krm.answers import json_answer
from threeport.krm.bodies import decode_object, read_limited
from threeport.krm.interfaces import Caller, Identity
from threeport.krm.paths import Target
from threeport.simulated.rbac import MASTERS
from threeport.simulated.secrecy import derived_key
from threeport.simulated.world import World

ADMIN: Final = Identity("kubernetes-admin", (MASTERS, "system:authenticated"))
DEFAULT_LIFE: Final = 3600
SHORTEST_LIFE: Final = 600
LONGEST_LIFE: Final = 366 * 24 * 3600
"""Seconds (Kubernetes, TokenRequest: at least ten minutes)."""

_ALGORITHM: Final = "HS256"


class ClusterTokens:
    """Issues and checks the tokens of one cluster."""

    def __init__(self, admin_token: str, cluster: str, world: World) -> None:
        self._admin_token = admin_token
        self._audience = f"simulated:{cluster}"
        self._key = derived_key(admin_token.encode(), f"threeport simulated tokens {cluster}")
        self._world = world

    def identity_of(self, token: str) -> Identity:
        """Who bears this token. Raises `Unauthorized` for one that is not of this cluster, or no longer good."""
        if is_same(token, self._admin_token):
            return ADMIN
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=self._audience, options={"require": ["exp", "sub"]}
            )
            namespace, name, uid = claims["namespace"], claims["name"], claims["uid"]
        except (jwt.InvalidTokenError, KeyError, UnicodeError) as error:
            raise Unauthorized("the token is not one of this cluster, or has expired: request a new one") from error
        account = self._world.get("serviceaccounts", namespace, name)
        if account is None or account.uid != uid:
            raise Unauthorized(f"the ServiceAccount {namespace}/{name} of the token is gone")
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return Identity(f"system:serviceaccount:{namespace}:{name}", groups)

    async def answer_request(self, request: web.Request, _caller: Caller, target: Target) -> web.StreamResponse:
        """``POST .../serviceaccounts/<name>/token``: a token for the account, as TokenRequest defines it."""
        account = self._world.find(target.key)
        if account is None:
            raise NotFound(f'serviceaccounts "{target.name}" not found', kind="serviceaccounts", name=target.name)
        raw = await read_limited(request)
        body = decode_object(raw, request.content_type) if raw else {}
        wanted = _life(body.get("spec"))
        expires = int(time.time()) + min(max(wanted, SHORTEST_LIFE), LONGEST_LIFE)
        claims = {
            "aud": self._audience,
            "exp": expires,
            "iat": int(time.time()),
            "sub": f"system:serviceaccount:{target.namespace}:{target.name}",
            "namespace": target.namespace,
            "name": target.name,
            "uid": account.uid,
        }
        status = {
            "token": jwt.encode(claims, self._key, algorithm=_ALGORITHM),
            "expirationTimestamp": datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        answer = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {"name": target.name}}
        return json_answer({**answer, "spec": {"expirationSeconds": wanted}, "status": status}, code=201)


def is_same(token: str, secret: str) -> bool:
    """Whether a token is the secret, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(token.encode(errors="surrogateescape"), secret.encode())


def _life(spec: object) -> int:
    """Seconds that a token is asked for. Raises `BadRequest` for what is no number."""
    wanted = spec.get("expirationSeconds") if isinstance(spec, dict) else spec
    if wanted is None:
        return DEFAULT_LIFE
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise BadRequest("spec.expirationSeconds of a TokenRequest must be a number")
    return wanted


def bearer_token(request: web.Request) -> str:
    """The bearer token of a request. Raises `Unauthorized` without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("a bearer token is required")
    return token.strip()
