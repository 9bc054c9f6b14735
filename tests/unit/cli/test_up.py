"""What `tptctl up` says on the way."""

from __future__ import annotations

from threeport.bootstrap.local.process_ids import ProcessId
from threeport.bootstrap.local.state import Phase, ProcessState, SupervisorState
from threeport.cli.commands.up import _summary


def test_a_failure_is_told_in_one_line_and_not_while_the_next_attempt_has_no_reason_yet() -> None:
    database = ProcessState(name="postgres", phase=Phase.RESTARTING, restarts=1, message="no room\nand much more")
    state = SupervisorState(supervisor=ProcessId(1, "now"), version="0", processes=[database])
    assert _summary(state) == "0/1 processes are ready; starting postgres; postgres: no room"
    database.phase, database.message = Phase.STARTING, ""
    assert _summary(state) == "0/1 processes are ready; starting postgres"
