"""From a person's kubeconfig to the access that the API needs."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.kubeconfig import ClusterAccess, cluster_access


def write(
    path: Path, *, user: dict[str, Any], cluster: dict[str, Any] | None = None, current: str | None = "c"
) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "k", "cluster": {"server": "https://k:6443", **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [
            {"name": "c", "context": {"cluster": "k", "user": "u"}},
            {"name": "broken", "context": {"cluster": "k", "user": "nobody"}},
        ],
        **({"current-context": current} if current else {}),
    }
    file = path / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return file


def test_data_in_the_file_and_files_beside_it_are_both_understood(tmp_path: Path) -> None:
    (tmp_path / "client.key").write_text("KEY")
    file = write(
        tmp_path,
        cluster={"certificate-authority-data": base64.b64encode(b"CA").decode(), "tls-server-name": "k"},
        user={"client-certificate-data": base64.b64encode(b"CRT").decode(), "client-key": "client.key"},
    )
    assert cluster_access(file) == ClusterAccess(
        endpoint="https://k:6443",
        certificate_authority="CA",
        tls_server_name="k",
        client_certificate="CRT",
        client_key="KEY",
    )


def test_a_token_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    assert cluster_access(write(tmp_path, user={"tokenFile": "token"})).token == "secret"


def test_a_plugin_is_run_and_its_credentials_are_taken(tmp_path: Path) -> None:
    script = tmp_path / "plugin.py"
    script.write_text(
        "import json, os\n"
        "request = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "assert request['spec']['cluster']['server'] == 'https://k:6443'\n"
        "status = {'token': os.environ['WHO'], 'expirationTimestamp': '2030-01-01T00:00:00Z'}\n"
        "print(json.dumps({'kind': 'ExecCredential', 'status': status}))\n"
    )
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(script)],
        "env": [{"name": "WHO", "value": "me"}],
        "provideClusterInfo": True,
    }
    access = cluster_access(write(tmp_path, user={"exec": plugin}))
    assert (access.token, access.expires) == ("me", "2030-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("user", "cluster", "context", "message"),
    [
        ({"token": "t"}, {}, "other", "no context 'other'.*broken, c"),
        ({"token": "t"}, {}, "broken", "'nobody'"),
        ({"username": "a", "password": "b"}, {}, None, "no token, no client certificate"),
        ({"token": "t"}, {"insecure-skip-tls-verify": True}, None, "certificate-authority-data"),
        ({"token": "t"}, {"certificate-authority-data": "%"}, None, "not base64"),
        ({"client-certificate": "gone", "client-key": "gone"}, {}, None, "cannot be read"),
        ({"exec": {"command": "no-such-plugin-anywhere"}}, {}, None, "not on PATH"),
        ({"exec": {"command": sys.executable, "args": ["-c", "raise SystemExit('log in first')"]}}, {}, None, "log in"),
        ({"exec": {"command": sys.executable, "args": ["-c", "print(1"]}}, {}, None, "failed"),
        ({"exec": {"command": sys.executable, "args": ["-c", "print('hi')"]}}, {}, None, "no ExecCredential"),
        ({"exec": {"command": sys.executable, "args": ["-c", "print([])"]}}, {}, None, "no ExecCredential"),
        ({"exec": {"args": ["x"]}}, {}, None, "no command"),
        ({"client-certificate": "kubeconfig.der", "client-key": "x"}, {}, None, "no text"),
        ({"exec": {"command": sys.executable, "args": ["-c", "print({})"]}}, {}, None, "gave no credentials"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], context: str | None, message: str
) -> None:
    (tmp_path / "kubeconfig.der").write_bytes(b"\x30\x82\xff")
    file = write(tmp_path, user=user, cluster=cluster)
    with pytest.raises(BootstrapError, match=message) as caught:
        cluster_access(file, context)
    assert str(file) in str(caught.value)


def test_what_is_no_kubeconfig_is_refused(tmp_path: Path) -> None:
    entries = ([1], [{"name": "a", "context": "b"}])
    lists = [json.dumps({"contexts": one}) for one in entries]
    for content in (
        "[",
        "[]",
        json.dumps({"kind": "Config"}),
        json.dumps({"contexts": [], "users": {}, "clusters": {"a": 1}}),
        *lists,
    ):
        (tmp_path / "x").write_text(content)
        with pytest.raises(BootstrapError, match="no kubeconfig"):
            cluster_access(tmp_path / "x")
    with pytest.raises(BootstrapError, match="cannot be read"):
        cluster_access(tmp_path / "missing")
