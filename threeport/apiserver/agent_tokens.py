"""``POST .../kubernetesruntimeinstances/{name}/agenttoken``: a token for the agent of a runtime.

Only the controller that installs agents may ask (see `authorization`). The token names the runtime's uid and is worth
nothing when that runtime is gone.
"""

from __future__ import annotations

from aiohttp import web

from threeport.apiserver import identities
from threeport.apiserver.authorization import AGENT_TOKEN, RUNTIMES
from threeport.apiserver.tokens import AGENT_TOKEN_LIFE, Tokens
from threeport.common.errors import MethodNotAllowed, NotFound
from threeport.krm.answers import json_answer
from threeport.krm.interfaces import Caller, ObjectStore
from threeport.krm.paths import Target
from threeport.krm.services import SubresourceHandler


def agent_token_subresource(store: ObjectStore, tokens: Tokens) -> dict[tuple[str, str], SubresourceHandler]:
    """The subresource, for `KrmServer`, which authorizes the request before."""

    async def answer(request: web.Request, _caller: Caller, target: Target) -> web.StreamResponse:
        if request.method != "POST":
            raise MethodNotAllowed("A token is made by POST, and cannot be read again.")
        runtime = await store.get(target.key)
        if runtime is None:
            raise NotFound(f'{RUNTIMES} "{target.name}" not found', kind=target.kind.plural, name=target.name)
        token = tokens.issue(identities.agent(target.name), lifetime=AGENT_TOKEN_LIFE, uid=runtime.uid)
        return json_answer({"token": token}, code=201)

    return {(RUNTIMES, AGENT_TOKEN): answer}
