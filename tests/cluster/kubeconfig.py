"""Kubeconfig files that carry their certificates, so that they can be copied."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.cluster.ports import LOOPBACK


def write_kubeconfig(path: Path, *, cluster: str, user: str, port: int, certificates: Path) -> None:
    """Write the kubeconfig of `user`, whose certificate lies in `certificates`.

    The file is JSON, which every reader of YAML understands.
    """
    context = f"test-{cluster}"
    server = {
        "server": f"https://{LOOPBACK}:{port}",
        "certificate-authority-data": _embed(certificates / "ca.crt"),
    }
    credentials = {
        "client-certificate-data": _embed(certificates / f"{user}.crt"),
        "client-key-data": _embed(certificates / f"{user}.key"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": context, "user": f"{context}-{user}"}}],
        "clusters": [{"name": context, "cluster": server}],
        "users": [{"name": f"{context}-{user}", "user": credentials}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(document, indent=2) + "\n")


def _embed(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
