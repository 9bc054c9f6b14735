"""Where the agent finds its two API servers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from agent.cluster.access import kopf_connection, settings_in_cluster, settings_of_kubeconfig
from agent.settings import settings_from_environment, settings_from_file
from threeport.client import ConfigError


def kubeconfig(**user: Any) -> dict[str, Any]:
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://k:6443", "certificate-authority": "/ca.crt"}}],
        "users": [{"name": "u", "user": user}],
    }


def test_the_file_says_all(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    content = {"runtime": "r", "kubeconfig": kubeconfig(token="t"), "token": "a", "apiUrl": "https://a", "caFile": "/x"}
    path.write_text(json.dumps(content))
    settings = settings_from_file(path)
    assert (settings.runtime, settings.cluster.url, settings.cluster.token) == ("r", "https://k:6443", "t")
    assert (settings.api.url, settings.api.token, settings.api.ca_file) == ("https://a", "a", "/x")


@pytest.mark.parametrize("content", ["{", "{}", '{"runtime": "r"}'])
def test_a_file_that_lacks_something_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="config.json"):
        settings_from_file(path)


def test_data_in_a_kubeconfig_becomes_files_that_only_we_can_read() -> None:
    data = base64.b64encode(b"certificate").decode()
    settings = settings_of_kubeconfig(
        kubeconfig(**{"client-certificate-data": data, "client-key-data": data}), user_agent="x"
    )
    assert settings.cert_file is not None
    assert Path(settings.cert_file).read_bytes() == b"certificate"
    assert Path(settings.cert_file).stat().st_mode & 0o077 == 0
    assert kopf_connection(settings).certificate_path == settings.cert_file


def test_a_plugin_for_the_login_is_refused_with_what_is_taken_instead() -> None:
    with pytest.raises(ConfigError, match="token or a client certificate"):
        settings_of_kubeconfig(kubeconfig(exec={"command": "aws"}), user_agent="x")


def test_in_a_pod_the_account_is_used(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    settings = settings_in_cluster(environ, user_agent="x", account=tmp_path)
    assert (settings.url, settings.token_file) == ("https://[fd00::1]:443", str(tmp_path / "token"))


def test_outside_of_pods_the_environment_has_to_name_a_kubeconfig() -> None:
    with pytest.raises(ConfigError, match="THREEPORT_RUNTIME"):
        settings_from_environment({})
    with pytest.raises(ConfigError, match="KUBECONFIG"):
        settings_from_environment({"THREEPORT_RUNTIME": "r", "THREEPORT_API_URL": "https://a"})
