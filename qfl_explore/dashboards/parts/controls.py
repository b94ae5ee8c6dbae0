"""The control bar of a live run: Start/Pause, Step, Rewind, New seed, Cancel, progress and a status line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui

from qfl_explore.dashboards.parts.progress import Progress
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.runs.live import RunHandle, Update

_RUNNING = ("running", "queued")
#: A click that comes so few seconds after a run's end was made at "Pause".
LATE_S = 0.3


class RunControls:
    """Buttons around a `RunHandle`; the same on every page.

    Step: one training step, then a pause. Rewind: back to step 0 with the same seed. New seed:
    other starting angles and data, then start. Cancel: stops for good.

    Args:
        handle: the run.
        start: begins a fresh run with the page's present settings (calls ``handle.start``).
        new_seed: draws another seed and begins anew.
        running: what the status line calls a running run.
        cancel: stops for good; ``None``: there is no such button.
        stepping: whether there are Step, Rewind and New seed.

    Attributes:
        extra: further widgets, placed before the status line; a page may add to them before it is shown.
        below: objects under the progress bar, likewise.
    """

    def __init__(
        self,
        handle: RunHandle,
        start: Callable[[], None],
        new_seed: Callable[[], None],
        running: str = "training",
        cancel: Callable[[], None] | None = None,
        stepping: bool = True,
    ) -> None:
        self._handle = handle
        self._running = running
        self._start = start
        self._ended = float("-inf")  # when a run that nobody stopped ended
        self._start_pause = _button("Start", "play_arrow", variant="contained", width=118)
        self._step = _button("Step", "skip_next")
        self._rewind = _button("Rewind", "replay")
        self._seed = _button("New seed", "casino")
        self.progress = Progress()
        # under the buttons on a narrow screen, whatever it says, so that nothing moves
        self.status = Text("", size=13, margin=(8, 2), sizing_mode=None, styles={"flex": "1 1 200px"})
        self._start_pause.on_click(lambda _: self.toggle())
        self._step.on_click(lambda _: self.step())
        self._rewind.on_click(lambda _: self.rewind())
        self._seed.on_click(lambda _: new_seed())
        self.extra: list[Any] = []
        self.below: list[Any] = []
        self._buttons = [self._start_pause, *((self._step, self._rewind, self._seed) if stepping else ())]
        if cancel is not None:
            self._buttons.append(_button("Cancel", "stop"))
            self._buttons[-1].on_click(lambda _: cancel())

    def __panel__(self) -> Any:
        bar = pmui.FlexBox(*self._buttons, *self.extra, self.status, align_items="center", gap="8px")
        return pmui.Column(bar, self.progress, *self.below, sizing_mode="stretch_width", margin=(6, 10, 0, 10))

    def toggle(self) -> None:
        """What the Start/Pause button does; nothing where the visitor saw the other word on it.

        That is so where a run has begun unseen, and where it has ended on the way of the click.
        """
        if self._handle.state in _RUNNING:
            if self._start_pause.label == "Pause":
                self._handle.pause()
        elif self._handle.state == "paused":
            self._handle.resume()
        elif not self._ended_unseen():
            self._start()

    def _ended_unseen(self) -> bool:
        over = self._handle.state in ("done", "failed")
        return over and (self._start_pause.label == "Pause" or time.monotonic() - self._ended < LATE_S)

    def step(self) -> None:
        """What the Step button does."""
        if self._handle.state in (*_RUNNING, "paused"):
            self._handle.step()

    def rewind(self) -> None:
        """What the Rewind button does."""
        self._handle.rewind()

    def show(self, update: Update, text: str, fraction: float | None = None) -> None:
        """Reflects a run's state: button label, status line, progress.

        Args:
            update: what the flush brought.
            text: what the page wants to say about the run, for example "step 120 of 600".
            fraction: progress from 0 to 1; ``None``: leave it.
        """
        running = update.state in _RUNNING
        if self._start_pause.label == "Pause" and update.state in ("done", "failed"):
            self._ended = time.monotonic()
        self._start_pause.param.update(label="Pause" if running else "Start", icon="pause" if running else "play_arrow")
        words = status_words(update, self._running)
        self.status.object = f"{text} · {words}" if text else words
        if fraction is not None:
            self.progress.value = round(100 * min(1.0, max(0.0, fraction)))


def status_words(update: Update, running: str = "training") -> str:
    """The run's state in words."""
    if update.state == "queued" and update.position:
        return f"waiting, number {update.position} in the queue"
    if update.state == "running" and update.waiting:
        return update.waiting
    words = {"queued": "starting", "running": running, "paused": "paused", "done": "finished", "failed": "stopped"}
    return words.get(update.state, update.state)


def _button(label: str, icon: str, variant: str = "outlined", **params: Any) -> pmui.Button:
    return pmui.Button(label=label, icon=icon, variant=variant, margin=0, **params)
