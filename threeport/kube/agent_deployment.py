"""The agent as a pod of its cluster: its way to the Threeport API in a Secret, the Deployment, and who may reach it.

Everything goes out from the pod, so it works behind NAT. Each runtime has a Deployment of its own, since one cluster
may be several runtimes. The pod passes the ``restricted`` level of Pod Security, which its namespace enforces.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from threeport.common.ids import derived_name
from threeport.common.types import FrozenJson, JsonObject
from threeport.kube.agent_manifests import AGENT_ACCOUNT, AGENT_LABELS, AGENT_NAMESPACE

METRICS_PORT: Final = 8080
RUNTIME_LABEL: Final = "threeport.io/agent-of"
USER: Final = 65532
"""The user ``nonroot`` of distroless images."""

DEFAULT_RESOURCES: Final[FrozenJson] = {
    "requests": {"cpu": "20m", "memory": "128Mi"},
    "limits": {"memory": "256Mi"},
}
"""For 5,000 pods and more; no limit for the CPU, since a throttled agent misses its heartbeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPod:
    """What may be chosen of the pod."""

    image: str
    resources: FrozenJson = field(default_factory=lambda: DEFAULT_RESOURCES)
    """As in a container: ``requests`` and ``limits``."""
    metrics_port: int = METRICS_PORT
    """Serves ``/metrics``, ``/healthz`` and ``/readyz``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAccess:
    """How the agent reaches the Threeport API; `ca` (PEM) is what the API's certificate must come from."""

    url: str
    ca: str
    token: str


def deployment_name(runtime: str, uid: str) -> str:
    """The name of Deployment, Secret and NetworkPolicy for the agent of a runtime."""
    return derived_name(f"{AGENT_ACCOUNT}-{runtime.replace('.', '-')}", uid)


def access_secret(name: str, access: ApiAccess) -> JsonObject:
    """What lets the agent in to the Threeport API."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(name),
        "type": "Opaque",
        "stringData": {"token": access.token, "ca.crt": access.ca},
    }


def deployment_manifests(name: str, runtime: str, access: ApiAccess, pod: AgentPod) -> list[JsonObject]:
    """NetworkPolicy and Deployment; the token in `access` is not in them."""
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(name),
        "spec": {
            "podSelector": {"matchLabels": _selector(name)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": pod.metrics_port}]}],
        },
    }
    # A new CA is read when the agent starts; a new token whenever it is used.
    stamp = {"threeport.io/ca": hashlib.sha256(access.ca.encode()).hexdigest()[:16]}
    template = {"metadata": {"labels": _labels(name), "annotations": stamp}, "spec": _pod(name, runtime, access, pod)}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(name),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 2,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _selector(name)},
            "template": template,
        },
    }
    return [policy, deployment]


def _pod(name: str, runtime: str, access: ApiAccess, pod: AgentPod) -> JsonObject:
    return {
        "serviceAccountName": AGENT_ACCOUNT,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(runtime, access, pod)],
        "volumes": [
            {"name": "access", "secret": {"secretName": name, "defaultMode": 0o440}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
        ],
    }


def _container(runtime: str, access: ApiAccess, pod: AgentPod) -> JsonObject:
    environment = {
        "THREEPORT_RUNTIME": runtime,
        "THREEPORT_API_URL": access.url,
        "THREEPORT_CA_FILE": "/etc/threeport/ca.crt",
        "THREEPORT_TOKEN_FILE": "/etc/threeport/token",
        "THREEPORT_METRICS_PORT": str(pod.metrics_port),
        "USER": "agent",  # kopf asks for its name, and the image need not know the number
    }
    return {
        "name": "agent",
        "image": pod.image,
        "command": ["python", "-m", "agent"],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "ports": [{"name": "metrics", "containerPort": pod.metrics_port, "protocol": "TCP"}],
        "livenessProbe": _probe("/healthz", period=20, failures=3),
        "readinessProbe": _probe("/readyz", period=10, failures=1),
        "startupProbe": _probe("/healthz", period=5, failures=36),
        "resources": dict(pod.resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "access", "mountPath": "/etc/threeport", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 # a path inside the container
        ],
    }


def _probe(path: str, *, period: int, failures: int) -> JsonObject:
    return {
        "httpGet": {"path": path, "port": "metrics", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _selector(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": AGENT_ACCOUNT, RUNTIME_LABEL: name}


def _labels(name: str) -> dict[str, str]:
    return {**AGENT_LABELS, RUNTIME_LABEL: name}


def _metadata(name: str) -> JsonObject:
    return {"name": name, "namespace": AGENT_NAMESPACE, "labels": _labels(name)}
