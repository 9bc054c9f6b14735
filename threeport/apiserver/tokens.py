"""Bearer tokens: how the API says, in a form that only it can write, who somebody is (JWT, RFC 7519, HS256)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import jwt
from pydantic import BaseModel, Field, ValidationError

from threeport.common.errors import Unauthorized
from threeport.krm.interfaces import Identity

ISSUER: Final = "threeport"
AUDIENCE: Final = "threeport-api"
AGENT_TOKEN_LIFE: Final = 365 * 24 * 3600
"""Seconds. An agent's token dies with its runtime (`uid`), so it may live as long as a certificate."""

_ALGORITHM: Final = "HS256"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says: who, until when (seconds since the epoch), and for the life of which object."""

    identity: Identity
    expires: float
    uid: str | None = None


class Tokens:
    """Issues and checks tokens with the signing key of the installation (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, identity: Identity, *, lifetime: float, uid: str | None = None) -> str:
        """A token for `identity`, good for `lifetime` seconds and as long as the object `uid` lives."""
        now = time.time()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": int(now),
            "exp": int(now + lifetime),
            "sub": identity.name,
            "groups": list(identity.groups),
            **({"uid": uid} if uid else {}),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def check(self, token: str) -> Claims:
        """What a token says. Raises `Unauthorized` unless it is ours, for us, complete and not expired."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("The token has expired: get a new one.") from error
        except (jwt.InvalidTokenError, UnicodeError) as error:
            raise Unauthorized("The token is not one of this API: use one that it issued.") from error
        try:
            content = _Content.model_validate(claims)
        except ValidationError as error:
            raise Unauthorized("The token does not say who it is for: get a new one.") from error
        return Claims(Identity(content.sub, content.groups), content.exp, content.uid)


class _Content(BaseModel):
    """The claims that are ours to read."""

    sub: str = Field(min_length=1)
    groups: tuple[str, ...] = ()
    exp: float
    uid: str | None = None
