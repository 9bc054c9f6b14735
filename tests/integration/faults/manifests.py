"""Manifests of the workloads in these tests."""

from __future__ import annotations

from typing import Final

import yaml

from threeport.common.types import JsonObject

DEPLOYMENT: Final[JsonObject] = yaml.safe_load(
    """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]
"""
)
SERVICE: Final[JsonObject] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


def config_map(name: str, colour: str) -> JsonObject:
    """A ConfigMap of one colour."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"colour": colour}}
