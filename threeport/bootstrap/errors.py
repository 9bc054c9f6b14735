"""What goes wrong while a control plane is brought up or down."""

from __future__ import annotations


class BootstrapError(Exception):
    """Something a person can mend; the message says what, and the next command to try."""
