"""Logarithmic axes that can be read where they span little: ticks at 1, 2 and 5, and numbers as people write them.

Bokeh's own ticks are evenly spaced below two decades: they crowd at the upper end and leave the lower one bare.
"""

from __future__ import annotations

from typing import Any

from bokeh.models import CustomJSTicker, CustomJSTickFormatter, LogAxis, LogTicker, LogTickFormatter

#: Within so many decades: also between the powers of ten.
_TICKS = """
const low = Math.min(cb_data.start, cb_data.end), high = Math.max(cb_data.start, cb_data.end);
if (!(low > 0) || !isFinite(high) || low === high) return [];
const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
const span = Math.log10(high / low);
const ticks = [];
if (span < 0.5) {  // nearly even
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((one) => one * power >= rough * 0.999);
  for (let n = Math.ceil(low / step); n * step <= high; n++) ticks.push(Number((n * step).toPrecision(12)));
  return ticks;
}
const leads = span < 1.1 ? [1, 2, 3, 5, 7] : span < 2.4 ? [1, 2, 5] : [1];
const every = Math.max(1, Math.ceil((last - first) / 8));
for (let e = first; e <= last; e++) {
  if (e % every) continue;
  for (const lead of leads) ticks.push(Number(`${lead}e${e}`));
}
return ticks.filter((one) => one >= low * 0.999999 && one <= high * 1.000001);
"""
_WORDS = """
if (!(tick > 0)) return String(tick);
const power = Math.floor(Math.log10(tick) + 1e-9);
if (Math.abs(power) < 4) return String(Number(tick.toPrecision(6)));
const lead = Number((tick / 10 ** power).toPrecision(3));
const raised = [...String(power)].map((one) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[one] ?? "⁻").join("");
return `${lead === 1 ? "" : `${lead}·`}10${raised}`;
"""


def make_legible(figure: Any) -> None:
    """Gives the logarithmic axes of a Bokeh figure ticks and numbers of ours; places that were set stay."""
    for axis in figure.axis:
        if isinstance(axis, LogAxis) and isinstance(axis.ticker, LogTicker):
            old, axis.ticker = axis.ticker, CustomJSTicker(major_code=_TICKS)
            for grid in figure.grid:
                if grid.ticker is old:
                    grid.ticker = axis.ticker
        if isinstance(axis, LogAxis) and isinstance(axis.formatter, LogTickFormatter):
            axis.formatter = CustomJSTickFormatter(code=_WORDS)
