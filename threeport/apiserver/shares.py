"""What one identity may hold of what all callers share: nobody who is let in can keep the others out.

Kubernetes does the same by flows and their seats (API priority and fairness). Here each identity may hold a part of the
whole, whoever it is: there is no caller whose mistakes could not be as costly as an attack.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from threeport.apiserver.metrics import REFUSED
from threeport.apiserver.open_watches import RETRY_AFTER
from threeport.common.errors import TooManyRequests
from threeport.krm.interfaces import Identity


class Shares:
    """How many of `what` (``watches``, say) each identity holds, of a `whole` of which it may hold the part `share`."""

    def __init__(self, what: str, whole: int, share: float) -> None:
        self._what = what
        self._limit = math.ceil(whole * share)
        self._held: Counter[str] = Counter()

    @contextmanager
    def one_of(self, identity: Identity) -> Iterator[None]:
        """Holds one more for the identity. Raises `TooManyRequests` if it holds its share already."""
        name = identity.name
        if self._held[name] >= self._limit:
            REFUSED.labels(f"{self._what} of one identity").inc()
            raise TooManyRequests(
                f"{name} has {self._limit} {self._what} under way at this API server already, which is all that one "
                "identity may have: let some of them end.",
                retry_after=RETRY_AFTER,
            )
        self._held[name] += 1
        try:
            yield
        finally:
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]
