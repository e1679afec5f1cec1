"""Charts as files: SVG, PNG, PDF, or a page that needs no network; whole or not at all."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from attnlogic.errors import InputError, unknown
from attnlogic.results import write_whole

FORMATS = ("svg", "png", "pdf", "html")

AUTO = "auto"
"""The theme of a page that follows its reader's; other files are light then."""


def file_format(path: Path) -> str:
    """The picture's format, from the file's name.

    Raises:
      InputError: the ending is none of ``FORMATS``.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise InputError(f"'{path}': expected a name that ends in .{', .'.join(FORMATS)}")
    return ending


def writable_picture(path: Path) -> None:
    """Check, before any work, that a picture can be written there.

    Raises:
      InputError: as ``file_format`` and ``writable_file``.
    """
    file_format(path)
    writable_file(path)


def writable_file(path: Path) -> None:
    """Check, before any work, that a file can be written there.

    Raises:
      InputError: there is no such folder, it may not be written to, or a folder has that name.
    """
    if not path.parent.is_dir():
        raise InputError(f"'{path}': there is no folder '{path.parent}': make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(
            f"cannot write '{path}': you may not write to '{path.parent}': name another folder"
        )
    if path.is_dir():
        raise InputError(f"'{path}' is a folder: name a file in it")


def save(chart: Any, path: Path, theme: str = AUTO) -> None:
    """Write a chart to an .svg, .png, .pdf or .html file.

    Args:
      chart: an Altair chart without a configuration of its own.
      path: the file.
      theme: ``"light"``, ``"dark"`` or ``"auto"``: a page follows its reader's, others are light.

    Raises:
      InputError: the ending is another, no such theme, or the file cannot be written.
    """
    from attnlogic.view.chart_theme import THEMES

    kind = file_format(path)
    if theme not in (AUTO, *THEMES):
        raise unknown("theme", theme, (*THEMES, AUTO))
    picture = _page(chart, theme) if kind == "html" else _picture(chart, kind, theme)
    try:
        write_whole(path, picture)
    except OSError as error:
        raise InputError(f"cannot write '{path}': {error.strerror or error}") from error


def svg_text(chart: Any, theme: str = "light") -> str:
    """A chart as the text of an .svg file.

    Args:
      chart: an Altair chart without a configuration of its own.
      theme: ``"light"`` or ``"dark"``.

    Raises:
      InputError: another theme.
    """
    return _compact(_rendered(chart, "svg", theme)["image/svg+xml"])


def _picture(chart: Any, kind: str, theme: str) -> bytes:
    shown = "light" if theme == AUTO else theme
    if kind == "svg":
        return svg_text(chart, shown).encode()
    if kind == "png":
        return bytes(_rendered(chart, kind, shown, scale_factor=2)[0]["image/png"])
    return bytes(_rendered(chart, kind, shown)["application/pdf"])


def _rendered(chart: Any, kind: str, theme: str, **how: Any) -> Any:
    """What ``chart.save`` would write, by its media type."""
    import altair as alt
    from altair.utils.mimebundle import spec_to_mimebundle

    from attnlogic.view.chart_theme import themed

    with alt.data_transformers.enable("default"), alt.data_transformers.disable_max_rows():
        spec = _fit(themed(chart, theme).to_dict(context={"pre_transform": False}))
    # Altair's types want the kind as a literal.
    render: Any = spec_to_mimebundle
    return render(spec, format=kind, mode="vega-lite", engine="vl-convert", **how)


_UNFIT = re.compile(r"[^\t\n\r -\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets), and two ends of lines that
Vega's expressions cannot."""


def _fit(spec: Any) -> Any:
    """A chart whose text can be drawn: at some other vl-convert ends the process."""
    if isinstance(spec, str):
        return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", spec)
    if isinstance(spec, dict):
        return {_fit(name): _fit(value) for name, value in spec.items()}
    return [*map(_fit, spec)] if isinstance(spec, list) else spec


_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>attnlogic</title>
<style>body {{ margin: 1rem; background: light-dark({light}, {dark}); color-scheme: {scheme} }}
#chart {{ max-width: 100% }}</style>
<script>{script}</script>
</head>
<body>
<div id="chart"></div>
<script>
const spec = {spec};
const configs = {configs};
const dark = matchMedia("(prefers-color-scheme: dark)");
const draw = () => vegaEmbed("#chart", spec, {{
  renderer: "svg",
  actions: false,
  config: configs["{theme}"] ?? configs[dark.matches ? "dark" : "light"],
}});
dark.addEventListener("change", draw);
draw();
</script>
</body>
</html>
"""


def _page(chart: Any, theme: str) -> bytes:
    import vl_convert

    from attnlogic.view.chart_theme import THEMES, config

    configs = {name: config(name) for name in THEMES}
    page = _PAGE.format(
        script=vl_convert.javascript_bundle(),  # type: ignore[call-arg]  # its argument has a default
        spec=_in_script(_fit(chart.to_dict())),
        configs=_in_script(configs),
        theme=theme,
        scheme="light dark" if theme == AUTO else theme,
        **{name: one["background"] for name, one in configs.items()},
    )
    return page.encode()


def _in_script(value: Any) -> str:
    """JSON that no text within can end the script of."""
    return json.dumps(value).replace("<", "\\u003c")


_UNSEEN = (
    r'<path [^>]*d="(M0,0h0v0h0Z)?"[^>]*/>',  # paths of no size, which Vega adds to each group
    r' (class="[^"]*"|aria-hidden="true"|pointer-events="none"|opacity="1"|stroke-width="1")',
)
"""What an SVG of Vega's has that makes no difference to a reader: for scripts, or the default."""


_PLACES = r' ((transform|x|y|[xy][12]|width|height)="[^"]*"|d="M[-\d.,hvZ]+")'
"""The attributes that say where something is, or how large; rectangles' paths among them."""


def _compact(svg: str) -> str:
    """The picture in a third of the bytes, with nothing that could be seen changed.

    Places and points of paths are cut to a tenth of a pixel, steps are written as such, what cannot
    be seen is dropped, and the font is named once. Text, between the tags, stays as it is.
    """
    fonts = {*re.findall(r' font-family="[^"<>]*"', svg)}
    font = fonts.pop() if len(fonts) == 1 else ""

    def shorter(tag: re.Match[str]) -> str:
        text = tag[0].replace(font, "") if font else tag[0]
        for pattern in _UNSEEN:
            text = re.sub(pattern, "", text)
        text = re.sub(_PLACES, lambda place: re.sub(r"-?\d+\.\d+", _tenth, place[0]), text)
        return re.sub(r'\bd="(M[-\d.,ML]+)"', lambda d: f'd="{_short_path(d[1])}"', text)

    return re.sub(r"<[^<>]*>", shorter, svg).replace("<svg", f"<svg{font}", 1)


def _tenth(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _short_path(path: str) -> str:
    """A path of straight lines, ``M1.23,4.56L…``, with points to a tenth and steps as H and V."""
    short: list[str] = []
    last: tuple[str, ...] = ()
    for command, x, y in re.findall(r"([ML])(-?[\d.]+),(-?[\d.]+)", path):
        here = tuple(f"{float(number):.1f}".removesuffix(".0") for number in (x, y))
        if command == "M":
            short.append(f"M{here[0]},{here[1]}")
        elif here == last:
            continue
        elif last and here[1] == last[1]:
            short.append(f"H{here[0]}")
        else:
            short.append(f"V{here[1]}" if here[0] == last[0] else f"L{here[0]},{here[1]}")
        last = here
    return "".join(short)
