"""What can go wrong, in words that tell a person the next step."""

from __future__ import annotations


class ClusterError(Exception):
    """A test cluster cannot be built, started or found; the text says what to do."""


class ClusterMissingError(ClusterError):
    """The chosen tier has fewer clusters than a test needs."""


class ProgramMissingError(ClusterError):
    """A program is neither built nor installed."""
