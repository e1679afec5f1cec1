"""What the tests of charts share: the marks of a spec, and studies to draw."""

import polars as pl
import synthetic

import attnlogic

WITHOUT_ROWS = ("summary", "times", "ladder", "endings")
"""Charts of whole numbers alone: a tally gives the same, bit for bit."""


def study(gates=("xor", "nand"), optimizers=("adam", "adamw", "adam(lr=0.1)"), seeds=range(60)):
    """Rows of runs that were never trained, of every kind."""
    return pl.concat(
        [synthetic.rows(gate, by, seeds) for gate in gates for by in optimizers], how="diagonal"
    )


def chart(rows, name, **options):
    return attnlogic.statistics.CHARTS[name].chart(rows, name, **options)


def spec(rows, name, **options):
    """The chart's spec, held against Vega-Lite's schema."""
    return chart(rows, name, **options).to_dict(validate=True)


def caption(found):
    title = found["title"]
    return " ".join([str(title["text"]), *title.get("subtitle", ())])


def views(found):
    """Every panel of a spec that has a mark or layers, with its title."""
    for key in ("vconcat", "hconcat", "concat"):
        if key in found:
            for part in found[key]:
                yield from views(part)
            return
    yield found


def layers(found):
    """Every layer with a mark: its panel's title, its mark's type, its encoding, its rows."""

    def flat(part, view, inherited):
        inherited = {**inherited, **{k: part[k] for k in ("data", "encoding") if k in part}}
        for layer in part.get("layer", ()):
            yield from flat(layer, view, inherited)
        if "mark" in part:
            encoding = {**view.get("encoding", {}), **part.get("encoding", {})}
            name = inherited["data"].get("name")
            values = found["datasets"][name] if name else inherited["data"]["values"]
            title = view.get("title", "")
            text = title["text"] if isinstance(title, dict) else title
            yield text, part["mark"]["type"], encoding, values

    top = {"data": found["data"]} if "data" in found else {}
    for view in views(found):
        yield from flat(view, view, top)


def marks(found, mark):
    """The rows of all layers with this mark, each with its panel's title."""
    return [
        {**row, "panel": title} for title, kind, _, rows in layers(found) if kind == mark
        for row in rows
    ]  # fmt: skip
