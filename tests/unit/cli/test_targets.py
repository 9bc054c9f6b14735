"""From documents and words to objects of the API: what is meant, and what is refused with a hint."""

from __future__ import annotations

import errno

import click
import pytest

from threeport.cli.commands.apply import command as apply
from threeport.cli.documents import Document
from threeport.cli.errors import CliError, report
from threeport.cli.exit_codes import ExitCode
from threeport.cli.session import kind_called
from threeport.cli.targets import targets_of
from threeport.resources import load_catalog

CATALOG = load_catalog()
METADATA = {"name": "shop", "namespace": "team"}
WORKLOAD = {"apiVersion": "threeport.io/v1alpha1", "kind": "Workload", "metadata": METADATA}


def targets_with(*arguments: str) -> list[str | None]:
    """The namespaces of what ``apply -f f.yaml`` with these arguments means, for a file that names namespace team."""
    with apply.make_context("apply", ["-f", "f.yaml", *arguments]) as context:
        document = Document(obj=WORKLOAD, origin="f.yaml")
        return [target.namespace for target in targets_of([document], CATALOG, context.params["namespace"])]


def test_the_namespace_of_a_file_counts_unless_the_command_line_says_another() -> None:
    assert targets_with() == targets_with("-n", "team") == ["team"]
    with pytest.raises(CliError, match="namespace team, and -n says other"):
        targets_with("-n", "other")


@pytest.mark.parametrize(("typed", "meant"), [("runtme", "runtime"), ("Workloadz", "workload"), ("evnts", "events")])
def test_a_misspelt_kind_is_answered_with_the_one_that_was_meant(typed: str, meant: str) -> None:
    with pytest.raises(CliError, match=f"Did you mean '{meant}'"):
        kind_called(CATALOG, typed)


def test_what_the_system_refuses_is_a_sentence_with_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(OSError(errno.ENOSPC, "No space left on device", "/data/x")) == ExitCode.ERROR
    assert click.unstyle(capsys.readouterr().err) == (
        "Error: /data/x: No space left on device. Make room on that disk, then run the command again.\n"
    )
