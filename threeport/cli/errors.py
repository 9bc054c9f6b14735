"""From an exception to a sentence, the next command to try, and an exit code. No traceback ever reaches a person."""

from __future__ import annotations

import errno
import time
import traceback
from typing import Final

import click

from threeport.cli.console import failure, note
from threeport.cli.exit_codes import ExitCode


class CliError(Exception):
    """A command cannot go on; the message says why and what to do."""

    def __init__(self, message: str, code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(message)
        self.code = code


def report(error: Exception) -> ExitCode:
    """Says what went wrong, on stderr, and returns the exit code."""
    # Imported here: a command that succeeds needs none of them.
    from threeport.bootstrap.errors import BootstrapError
    from threeport.client.config import ConfigError
    from threeport.common.errors import ApiError

    if isinstance(error, CliError):
        failure(str(error))
        return error.code
    if isinstance(error, BootstrapError | ConfigError):
        failure(str(error))
        return ExitCode.ERROR
    if isinstance(error, ApiError):
        return _report_answer(error)
    if isinstance(error, OSError) and error.strerror:
        failure(_of_system(error))
        return ExitCode.ERROR
    failure(f"unexpected: {type(error).__name__}: {error}")
    note(f"This is a fault of tptctl. The details are in {_keep_details(error)}.")
    return ExitCode.ERROR


_ADVICE: Final = {
    errno.ENOSPC: "Make room on that disk, then run the command again.",
    errno.EDQUOT: "Your quota of that disk is used up: make room, then run the command again.",
    errno.EACCES: "Run it as the user whom it belongs to, or set THREEPORT_HOME to a directory of yours.",
    errno.EPERM: "Run it as the user whom it belongs to, or set THREEPORT_HOME to a directory of yours.",
    errno.EROFS: "Set THREEPORT_HOME to a directory that can be written to.",
    errno.ENOTDIR: "A file is where a directory has to be: move it away.",
    errno.EMFILE: "Raise the limit of open files: ulimit -n 4096.",
}
"""What to do about what the system refuses."""


def _of_system(error: OSError) -> str:
    """What the system refuses, and the next step."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror}. {_ADVICE.get(error.errno or 0, '')}".rstrip()


def _report_answer(error: Exception) -> ExitCode:
    from threeport.client.errors import Unreachable
    from threeport.common.errors import Forbidden, NotFound, Unauthorized

    failure(str(error))
    if isinstance(error, Unreachable):
        note("Look with `tptctl status`; start a local control plane with `tptctl up`.")
        return ExitCode.UNREACHABLE
    if isinstance(error, NotFound):
        if error.kind:
            note(f"See what there is with `tptctl get {error.kind.lower()}`.")
        return ExitCode.NOT_FOUND
    if isinstance(error, Unauthorized | Forbidden):
        note("See who you are to the API with `tptctl config get-control-planes`.")
    return ExitCode.ERROR


def _keep_details(error: Exception) -> str:
    """Writes the traceback to a file for those who look after the fault; returns where."""
    from threeport.client.config import home_directory

    file = home_directory() / "tptctl-errors.log"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("a") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')}\n{''.join(traceback.format_exception(error))}\n")
    except OSError:
        return click.style("nowhere: the file cannot be written", dim=True)
    return str(file)
