"""What people and scripts see: tables, times, conditions, exit codes."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import click
import pytest

from threeport.cli.console import age_since, columns
from threeport.cli.exit_codes import ExitCode
from threeport.cli.main import main, run
from threeport.cli.tables import Table
from threeport.cli.times import Duration, parse_time
from threeport.cli.waiting import ConditionWanted, explanation

TABLE = {
    "columnDefinitions": [
        {"name": "Name", "type": "string", "priority": 0},
        {"name": "Default", "type": "boolean", "priority": 0},
        {"name": "Message", "type": "string", "priority": 1},
    ],
    "rows": [
        {"cells": ["web", True, "all\nwell"], "object": {"metadata": {"namespace": "team"}}},
        {"cells": ["longer-name", None, None], "object": {"metadata": {"namespace": "t"}}},
    ],
}


def test_a_table_has_upper_case_headings_and_aligned_columns() -> None:
    lines, _ = Table(TABLE).lines(wide=False, with_namespace=False)
    assert lines == ["NAME          DEFAULT", "web           true", "longer-name"]


def test_a_row_looks_the_same_while_only_its_age_and_hidden_columns_change() -> None:
    def looks(age: str, ready: str, message: str) -> object:
        columns = [{"name": "Ready", "type": "string"}, {"name": "Age", "type": "date"}, {"name": "M", "priority": 1}]
        row = {"cells": [ready, age, message], "object": {"metadata": {"uid": "u"}}}
        return Table({"columnDefinitions": columns, "rows": [row]}).looks(wide=False)

    assert looks("1s", "True", "a") == looks("9s", "True", "b") == {"u": ("True",)}
    assert looks("1s", "True", "a") != looks("1s", "False", "a")


def test_a_wide_table_shows_all_columns_each_row_on_one_line() -> None:
    lines, _ = Table(TABLE).lines(wide=True, with_namespace=True)
    assert lines[0].split() == ["NAMESPACE", "NAME", "DEFAULT", "MESSAGE"]
    assert lines[1].split() == ["team", "web", "true", "all", "well"]


def test_rows_that_follow_later_stand_under_the_same_columns() -> None:
    _, widths = Table(TABLE).lines(wide=False, with_namespace=False)
    late = Table({**TABLE, "rows": TABLE["rows"][:1]})
    lines, _ = late.lines(wide=False, with_namespace=False, widths=widths, header=False)
    assert lines == ["web           true"]


@pytest.mark.parametrize(("minutes", "text"), [(-5, "0s"), (2.5, "2m30s"), (60 * 4.5, "4h30m"), (60 * 24 * 3, "3d")])
def test_ages_read_as_those_of_kubernetes(minutes: float, text: str) -> None:
    assert age_since(time.time() - minutes * 60 - 0.5) == text


def test_columns_stand_apart_and_keep_to_one_line() -> None:
    assert columns(["A", "B"], [["x", "1\n2"], ["yyy", ""]]) == ["A     B", "x     1 2", "yyy"]


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("0.5s", 0.5)])
def test_durations_are_what_people_write(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "x", "5x", "m5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        Duration().convert(text, None, None)


def test_times_of_the_api_are_understood() -> None:
    assert parse_time("1970-01-01T00:01:00Z") == 60
    assert parse_time("yesterday") is None


def ready(status: str, *, generation: int, observed: int | None) -> dict[str, object]:
    condition = {"type": "Ready", "status": status, "reason": "R", "message": "m"}
    return {
        "metadata": {"generation": generation},
        "status": {"conditions": [condition], **({"observedGeneration": observed} if observed is not None else {})},
    }


def test_a_condition_holds_only_for_the_generation_that_it_speaks_of() -> None:
    wanted = ConditionWanted.parse("Ready")
    assert wanted.holds(ready("True", generation=2, observed=2))
    assert not wanted.holds(ready("True", generation=2, observed=1))
    assert not wanted.holds(ready("False", generation=2, observed=2))
    assert not wanted.holds({"metadata": {}})
    assert ConditionWanted.parse("ready=false").holds(ready("False", generation=1, observed=None))


def test_what_an_object_says_of_a_condition_is_told() -> None:
    assert explanation(ready("False", generation=1, observed=1)) == "R: m"
    assert explanation({"metadata": {}}) == "no condition Ready yet"


@pytest.mark.parametrize("command", [["nonsense"], ["get"], ["apply"], ["wait"], ["delete"], ["up", "--context", "x"]])
def test_wrong_usage_is_exit_code_2_and_says_what_is_wanted(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Error" in captured.err


@pytest.mark.parametrize("command", [["get", "workloads"], ["status"], ["config", "kubeconfig"]])
def test_without_a_control_plane_commands_say_how_to_start_one(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("THREEPORT_HOME", str(tmp_path))
    assert run(command) == ExitCode.ERROR
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "tptctl up" in captured.err


def test_an_empty_name_stands_for_no_control_plane_least_of_all_to_delete_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "default").mkdir()
    monkeypatch.setenv("THREEPORT_HOME", str(tmp_path))
    assert run(["down", "--delete-data", "--name", ""]) == ExitCode.ERROR
    assert (tmp_path / "default").exists()
    assert "'' cannot be the name" in capsys.readouterr().err


def test_the_help_lists_the_exit_codes_and_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == ExitCode.OK
    text = capsys.readouterr().out
    for code in ExitCode:
        assert f"  {code.value}  " in text
    for name in ("up", "down", "apply", "get", "describe", "delete", "wait", "runtime", "config", "control-plane"):
        assert run([name, "--help"]) == ExitCode.OK


def test_a_fault_of_our_own_is_one_sentence_and_its_details_go_to_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("THREEPORT_HOME", str(tmp_path))

    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("threeport.client.config.Configuration.read", broken)
    assert run(["config", "get-control-planes"]) == ExitCode.ERROR
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert "ZeroDivisionError" in (tmp_path / "tptctl-errors.log").read_text()


def test_a_misspelt_command_is_answered_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gett", "workloads"]) == ExitCode.USAGE
    assert "Did you mean 'get'?" in capsys.readouterr().err


def test_what_an_old_terminal_cannot_show_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fields = {"provider": "local", "certificateAuthority": "", "clientCertificate": "", "clientKey": ""}
    planes = {"a": {**fields, "url": "https://k\u00fcste \u2192 meer"}}
    (tmp_path / "config.yaml").write_text(json.dumps({"controlPlanes": planes}))
    monkeypatch.setenv("THREEPORT_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["tptctl", "config", "get-control-planes"])
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding="latin-1"))
    with pytest.raises(SystemExit, match="0"):
        main()
    assert b"https://k\xfcste ? meer" in shown.getvalue()
