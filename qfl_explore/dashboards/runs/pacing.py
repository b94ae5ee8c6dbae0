"""How often pages draw: all of them together leave the server's loop free for clicks."""

from __future__ import annotations

import threading
import time

#: Seconds after which a page that drew nothing no longer counts.
_FORGOTTEN_S = 2.0


class Pacer:
    """Spreads the drawing of all visitors over time.

    Every page that draws says what it cost. The next picture of each comes after so long that all of them
    together take ``share`` of a second's time.

    Args:
        share: of the loop's time, above 0 and below 1.
    """

    def __init__(self, share: float = 0.6) -> None:
        self._share = share
        self._lock = threading.Lock()
        self._costs: dict[int, tuple[float, float]] = {}  # who -> mean cost, when it drew last
        self._total, self._summed = 0.0, 0.0

    def note(self, who: int, seconds: float) -> None:
        """A page has drawn; on the loop.

        Args:
            who: a number for the page.
            seconds: that it took.
        """
        with self._lock:
            mean, _ = self._costs.get(who, (seconds, 0.0))
            self._costs[who] = (0.7 * mean + 0.3 * seconds, time.monotonic())

    def interval(self, least: float) -> float:
        """Seconds from one picture of a page to the next.

        Args:
            least: where there is time enough.
        """
        now = time.monotonic()
        with self._lock:
            if now - self._summed > 0.2:
                self._costs = {who: entry for who, entry in self._costs.items() if now - entry[1] < _FORGOTTEN_S}
                self._total, self._summed = sum(cost for cost, _ in self._costs.values()), now
            return max(least, self._total / self._share)


#: Of this process.
PACER = Pacer()
