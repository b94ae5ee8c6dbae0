"""Pages draw one after the other, and whoever asks meanwhile is answered between two of them."""

import asyncio
import threading
import time
from types import SimpleNamespace

from qfl_explore.dashboards.runs.in_turn import Line, line_of

DRAWING_S = 0.01


class Page:
    """A document whose callbacks run on the loop, as Bokeh's do."""

    def __init__(self, loop, gone=False):
        self.loop, self.gone, self.session_context = loop, gone, SimpleNamespace()

    def add_next_tick_callback(self, function):
        if self.gone:
            raise RuntimeError("the session has ended")
        self.loop.call_soon_threadsafe(function)


def test_thirty_pages_that_draw_at_once_let_the_loop_answer_between_them():
    async def room():
        loop, drawn, gaps = asyncio.get_running_loop(), [], []
        line = Line(loop)

        def draw(number):
            time.sleep(DRAWING_S)
            drawn.append(number)

        pages = [Page(loop, gone=number % 10 == 3) for number in range(30)]
        worker = threading.Thread(
            target=lambda: [line.enter(page, lambda number=n: draw(number)) for n, page in enumerate(pages)]
        )
        worker.start()
        while len(drawn) < 27:
            begin = time.monotonic()
            await asyncio.sleep(0)
            gaps.append(time.monotonic() - begin)
        worker.join()
        return drawn, gaps

    drawn, gaps = asyncio.run(asyncio.wait_for(room(), 10))
    assert drawn == [number for number in range(30) if number % 10 != 3]  # in order; those who left hold up nobody
    assert sum(gap > 0.5 * DRAWING_S for gap in gaps) >= 27  # a round of the loop for each


def test_a_line_that_was_empty_moves_again():
    async def visits():
        loop, line, drawn = asyncio.get_running_loop(), Line(asyncio.get_running_loop()), []
        for number in range(3):
            line.enter(Page(loop), lambda number=number: drawn.append(number))
            await asyncio.sleep(0.01)
        return drawn

    assert asyncio.run(visits()) == [0, 1, 2]


def test_a_loop_has_one_line_and_a_notebook_none():
    async def lines():
        page = Page(asyncio.get_running_loop())
        return line_of(page) is line_of(Page(asyncio.get_running_loop())), line_of(None)

    assert asyncio.run(lines()) == (True, None)
    assert line_of(Page(None)) is None  # no loop runs here
    assert line_of(SimpleNamespace(session_context=None)) is None
