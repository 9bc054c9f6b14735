"""The agent of a cluster: its two tokens, and where it runs.

On the machine of a local control plane that is a process, started by the supervisor for each file in
``THREEPORT_AGENT_DIR``; otherwise a Deployment in the cluster. Both have exactly the rights of the account installed.
Tokens are made anew when two thirds of their life are over, when what they were made for has changed, and when they are
older than a silence of the agent: they may have been revoked, or replaced by something that is none.
"""

from __future__ import annotations

import base64
import hashlib
import time
from datetime import datetime
from pathlib import Path
from typing import Final

import jwt
import orjson

from operators.kubernetes_runtime.heartbeats import REPORTING
from operators.kubernetes_runtime.installation import ensure
from operators.kubernetes_runtime.settings import RuntimeSettings
from threeport.common.types import FrozenJson, JsonObject
from threeport.controller.conditions import condition
from threeport.controller.controller import Controller
from threeport.controller.cycle import Waiting
from threeport.kube.agent_deployment import (
    DEFAULT_RESOURCES,
    METRICS_PORT,
    AgentPod,
    ApiAccess,
    access_secret,
    deployment_manifests,
    deployment_name,
)
from threeport.kube.agent_manifests import AGENT_ACCOUNT, AGENT_NAMESPACE, token_request
from threeport.kube.cluster import Cluster
from threeport.resources.kubernetes_runtime import KubernetesRuntimeInstance
from threeport.resources.model import kind_of

MADE_FOR: Final = "threeport.io/made-for"
RENEW_AFTER: Final = "threeport.io/renew-after"
LONGEST_LIFE: Final = 366 * 24 * 3600.0
"""Seconds; no token of ours lives longer."""
_RUNTIME: Final = kind_of(KubernetesRuntimeInstance)


async def ensure_agent(
    controller: Controller, settings: RuntimeSettings, runtime: FrozenJson, definition: FrozenJson, cluster: Cluster
) -> str:
    """Sees to it that the agent runs, or can. Returns where, as part of a sentence."""
    wanted = agent_settings(runtime, definition)
    if settings.agent_dir is not None:
        port = wanted.get("metricsPort")
        await _ensure_file(controller, settings, runtime, cluster, agent_file(settings.agent_dir, runtime), port)
        return "its agent runs beside the control plane"
    pod = agent_pod(wanted, settings)
    if pod is None:
        return "it has no agent, since no image is set in spec.agent.image"
    await _ensure_deployment(controller, settings, runtime, cluster, pod)
    return "its agent runs in the cluster"


def agent_settings(runtime: FrozenJson, definition: FrozenJson) -> JsonObject:
    """What the instance says of its agent, and what its definition says of all."""
    said = [spec.get("agent") or {} for spec in (definition["spec"], runtime["spec"])]
    return {name: value for each in said for name, value in each.items() if value is not None}


def agent_pod(wanted: FrozenJson, settings: RuntimeSettings) -> AgentPod | None:
    """The pod; None without an image."""
    image = wanted.get("image") or settings.agent_image
    if not image:
        return None
    return AgentPod(
        image=image,
        resources={
            **DEFAULT_RESOURCES,
            **{key: value for key, value in (wanted.get("resources") or {}).items() if value},
        },
        metrics_port=wanted.get("metricsPort") or METRICS_PORT,
    )


def remove_agent_file(settings: RuntimeSettings, runtime: FrozenJson) -> None:
    """Makes the supervisor stop the agent of this runtime."""
    if settings.agent_dir is not None:
        agent_file(settings.agent_dir, runtime).unlink(missing_ok=True)


def agent_file(directory: Path, runtime: FrozenJson) -> Path:
    """The file for the agent of a runtime."""
    return directory / f"{runtime['metadata']['name']}.json"


async def _ensure_file(
    controller: Controller,
    settings: RuntimeSettings,
    runtime: FrozenJson,
    cluster: Cluster,
    path: Path,
    metrics_port: int | None,
) -> None:
    account = await _account(cluster)
    made_for = _digest(runtime, settings, cluster, f"{metrics_port or ''}\n{account}")
    known = _read(path)
    if is_good(known, made_for) and _may_serve(controller, runtime, str(known.get("token") or "")):
        return
    token, expires = await _account_token(cluster)
    api_token = await _api_token(controller, runtime)
    content = {
        "runtime": runtime["metadata"]["name"],
        "kubeconfig": _kubeconfig(cluster, token),
        "token": api_token,
        "apiUrl": settings.api_url,
        "caFile": str(settings.ca_file) if settings.ca_file else None,
        "metricsPort": metrics_port,
        "madeFor": made_for,
        "renewAfter": _renew_after(min(expires, _expiry_of(api_token))),
    }
    _write(path, orjson.dumps(content))


async def _ensure_deployment(
    controller: Controller, settings: RuntimeSettings, runtime: FrozenJson, cluster: Cluster, pod: AgentPod
) -> None:
    metadata = runtime["metadata"]
    name = deployment_name(metadata["name"], metadata["uid"])
    made_for = _digest(runtime, settings, cluster, "")
    secret = await cluster.get("v1", "Secret", name, AGENT_NAMESPACE)
    annotations = (secret or {"metadata": {}})["metadata"].get("annotations") or {}
    known = {"madeFor": annotations.get(MADE_FOR), "renewAfter": annotations.get(RENEW_AFTER)}
    is_kept = is_good(known, made_for) and _may_serve(controller, runtime, _token_in(secret or {}))
    token = "" if is_kept else await _api_token(controller, runtime)
    access = ApiAccess(url=settings.api_url, ca=settings.ca(), token=token)
    if token:
        manifest = access_secret(name, access)
        manifest["metadata"]["annotations"] = {MADE_FOR: made_for, RENEW_AFTER: str(_renew_after(_expiry_of(token)))}
        await ensure(controller, cluster, manifest)
    for manifest in deployment_manifests(name, metadata["name"], access, pod):
        await ensure(controller, cluster, manifest)


async def _account(cluster: Cluster) -> str:
    """The uid of the agent's ServiceAccount: no token of a former one is good for this, nor one of another cluster that
    was here before."""
    found = await cluster.get("v1", "ServiceAccount", AGENT_ACCOUNT, AGENT_NAMESPACE)
    return str(found["metadata"]["uid"]) if found is not None else ""


async def _account_token(cluster: Cluster) -> tuple[str, float]:
    """A token of the agent's ServiceAccount, and when it ends (seconds since the epoch)."""
    answer = (await cluster.create(token_request(), subresource="token")).get("status") or {}
    if not answer.get("token"):
        raise Waiting("NoAgentToken", "the cluster gave no token for the agent's ServiceAccount")
    ends = answer.get("expirationTimestamp")
    return str(answer["token"]), datetime.fromisoformat(ends).timestamp() if ends else _expiry_of(answer["token"])


async def _api_token(controller: Controller, runtime: FrozenJson) -> str:
    """A token by which the agent proves to the Threeport API whose agent it is; empty where there is no such API."""
    if controller.lease is None:
        return ""
    path = f"/apis/{_RUNTIME.api_version}/{_RUNTIME.plural}/{runtime['metadata']['name']}/agenttoken"
    return str((await controller.client.post_path(path))["token"])


def is_good(known: FrozenJson, made_for: str) -> bool:
    """Whether tokens are what they are to be, and young enough. What is known of them is read from a file, or from a
    Secret of the cluster, where anybody may have changed it: what makes no sense there is not good."""
    try:
        renew_after = float(known.get("renewAfter") or 0)
    except (TypeError, ValueError):
        return False
    return known.get("madeFor") == made_for and time.time() < renew_after < time.time() + LONGEST_LIFE


def may_be_accepted(token: str, runtime: FrozenJson) -> bool:
    """Whether the Threeport API may still accept a token: it is one, and no older than the silence of its agent."""
    issued = _claims_of(token).get("iat")
    if not isinstance(issued, int | float):
        return False
    reporting = condition(runtime.get("status"), REPORTING) or {}
    silent_since = reporting.get("lastTransitionTime") if reporting.get("status") == "False" else None
    return not silent_since or issued >= datetime.fromisoformat(str(silent_since)).timestamp()


def _may_serve(controller: Controller, runtime: FrozenJson, token: str) -> bool:
    """Where the API gives no tokens there is none to look at."""
    return controller.lease is None or may_be_accepted(token, runtime)


def _token_in(secret: FrozenJson) -> str:
    try:
        return base64.b64decode((secret.get("data") or {}).get("token") or "").decode()
    except ValueError:
        return ""


def _renew_after(expires: float) -> float:
    now = time.time()
    return round(now + max(0.0, expires - now) * 2 / 3)


def _expiry_of(token: str) -> float:
    """When a JWT ends, in seconds since the epoch; a year from now for what does not say."""
    expires = _claims_of(token).get("exp")
    return float(expires) if isinstance(expires, int | float) else time.time() + 365 * 24 * 3600


def _claims_of(token: str) -> JsonObject:
    """What a JWT says of itself; nothing for what is none."""
    try:
        return dict(jwt.decode(token, options={"verify_signature": False}))
    except jwt.InvalidTokenError:
        return {}


def _digest(runtime: FrozenJson, settings: RuntimeSettings, cluster: Cluster, more: str) -> str:
    parts = (runtime["metadata"]["uid"], settings.api_url, settings.ca(), cluster.access.endpoint, more)
    authority = cluster.access.certificate_authority or ""
    return hashlib.sha256("\n".join((*parts, authority)).encode()).hexdigest()[:32]


def _kubeconfig(cluster: Cluster, token: str) -> JsonObject:
    access = cluster.access
    server: JsonObject = {"server": access.endpoint}
    if access.certificate_authority:
        server["certificate-authority-data"] = base64.b64encode(access.certificate_authority.encode()).decode()
    if access.tls_server_name:
        server["tls-server-name"] = access.tls_server_name
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "agent",
        "clusters": [{"name": "agent", "cluster": server}],
        "users": [{"name": "agent", "user": {"token": token}}],
        "contexts": [{"name": "agent", "context": {"cluster": "agent", "user": "agent"}}],
    }


def _read(path: Path) -> FrozenJson:
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(path: Path, content: bytes) -> None:
    """Replaces the file at once, so that its reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_bytes(content)
    draft.replace(path)
