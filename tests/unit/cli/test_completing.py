"""What the shell offers without the API, and of what the API has."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from threeport.cli.completing import kinds_for
from threeport.cli.main import cli
from threeport.client.config import HOME_VARIABLE
from threeport.resources import load_catalog


def offered(*words: str) -> list[str]:
    """What is offered for the last of the words."""
    shell = ShellComplete(cli, {}, "tptctl", "_TPTCTL_COMPLETE")
    return [item.value for item in shell.get_completions([*words[:-1]], words[-1])]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No control plane is configured."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))


def test_commands_and_options_are_offered() -> None:
    assert offered("de") == ["describe", "delete"]
    assert "--watch" in offered("get", "--")
    assert offered("rollout", "u") == ["undo"]


def test_forms_of_output_are_offered() -> None:
    assert offered("get", "workloads", "-o", "j") == ["json", "jsonpath="]


def test_without_an_api_nothing_is_offered_and_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        offered("get", "work") == offered("logs", "") == offered("get", "-n", "") == offered("down", "--name", "") == []
    )
    assert capsys.readouterr().err == ""


def test_a_kind_is_offered_by_the_first_of_its_words_that_fits() -> None:
    assert "workload" in kinds_for("wo", load_catalog())
    assert list(kinds_for("runtime", load_catalog())) == ["runtime"]
    assert list(kinds_for("WORKLOADREPORTS", load_catalog())) == ["workloadreports"]
