"""What ``tptctl`` answers to scripts."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes; documented in the guide of the CLI and in ``tptctl --help``."""

    OK = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    TIMEOUT = 4
    UNREACHABLE = 5
    INTERRUPTED = 130


EXIT_CODES_HELP = """\b
Exit codes:
  0    done
  1    refused or failed; the message says why
  2    wrong usage
  3    the object does not exist
  4    a wait has timed out
  5    the API cannot be reached
  130  interrupted (Ctrl-C)"""
