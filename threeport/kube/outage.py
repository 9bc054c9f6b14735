"""Whether a cluster is away: after a request without an answer the others are refused at once, for a while.

Otherwise each object of a dead cluster would wait out the timeouts of a connection, and what waits for one cluster
would take the places of what could go on in others. One request at a time finds out whether the cluster is back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from threeport.kube.errors import ClusterError, ClusterUnreachable

PAUSE: Final = 5.0
"""Seconds between two requests to a cluster that is away."""


class Outage:
    """What is known of one cluster."""

    def __init__(self) -> None:
        self._answered = time.monotonic()
        self._why: str | None = None
        self._look_again = 0.0
        self._looking = False

    @contextmanager
    def request(self) -> Iterator[None]:
        """Encloses a request. Raises the `ClusterUnreachable` of an earlier one if the cluster is away."""
        begun = time.monotonic()
        looks = self._why is not None
        if self._why is not None:
            if self._looking or begun < self._look_again:
                raise ClusterUnreachable(self._why)
            self._looking = True
        try:
            yield
        except ClusterUnreachable as error:
            if self._answered <= begun:
                self._why, self._look_again = str(error), time.monotonic() + PAUSE
            raise
        except ClusterError:
            self._hear()
            raise
        else:
            self._hear()
        finally:
            if looks:
                self._looking = False

    def _hear(self) -> None:
        self._answered, self._why = time.monotonic(), None
