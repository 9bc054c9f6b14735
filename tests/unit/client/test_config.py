"""Where the client finds the API."""

from __future__ import annotations

from pathlib import Path

import pytest

from threeport.bootstrap.configuration import add_control_plane, remove_control_plane, use_control_plane
from threeport.client.config import ClientSettings, ConfigError, Configuration, ControlPlaneEntry, home_directory


def entry(name: str) -> ControlPlaneEntry:
    return ControlPlaneEntry(
        name=name, provider="local", url=f"https://{name}:1", ca_file="ca", cert_file="crt", key_file="key"
    )


def test_the_environment_says_where_the_api_is_and_who_we_are() -> None:
    settings = ClientSettings.from_environment(
        {
            "THREEPORT_API_URL": "https://api:1",
            "THREEPORT_CA_FILE": "ca",
            "THREEPORT_CLIENT_CERT": "crt",
            "THREEPORT_CLIENT_KEY": "key",
            "THREEPORT_TOKEN_FILE": "",
        }
    )
    assert settings == ClientSettings(url="https://api:1", ca_file="ca", cert_file="crt", key_file="key")


def test_an_environment_without_the_url_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(ConfigError, match="THREEPORT_API_URL"):
        ClientSettings.from_environment({})


def test_no_configuration_yet_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tptctl up"):
        ClientSettings.from_config(home=tmp_path)


def test_what_is_added_is_found_again_and_is_the_current_one(tmp_path: Path) -> None:
    add_control_plane(entry("a"), home=tmp_path)
    add_control_plane(entry("b"), home=tmp_path)
    found = Configuration.read(tmp_path)
    assert (found.current, set(found.control_planes)) == ("b", {"a", "b"})
    assert found.control_plane("a") == entry("a")


def test_only_its_owner_can_read_the_configuration(tmp_path: Path) -> None:
    add_control_plane(entry("a"), home=tmp_path)
    assert (tmp_path / "config.yaml").stat().st_mode & 0o777 == 0o600


def test_when_the_current_control_plane_is_removed_another_becomes_current(tmp_path: Path) -> None:
    for name in ("a", "b"):
        add_control_plane(entry(name), home=tmp_path)
    remove_control_plane("b", home=tmp_path)
    assert Configuration.read(tmp_path).current == "a"
    remove_control_plane("a", home=tmp_path)
    assert Configuration.read(tmp_path).current is None


def test_an_unknown_control_plane_is_an_error_that_lists_the_known_ones(tmp_path: Path) -> None:
    add_control_plane(entry("a"), home=tmp_path)
    with pytest.raises(ConfigError, match="known: a"):
        use_control_plane("b", home=tmp_path)
    assert Configuration.read(tmp_path).current == "a"


@pytest.mark.parametrize("content", ["[]", "a: [", "controlPlanes: 3", "controlPlanes: {a: {url: x}}"])
def test_a_broken_file_is_an_error_and_no_traceback(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(ConfigError):
        Configuration.read(tmp_path)


def test_the_home_directory_comes_from_the_environment(tmp_path: Path) -> None:
    assert home_directory({"THREEPORT_HOME": str(tmp_path)}) == tmp_path
    assert home_directory({}) == Path.home() / ".threeport"
