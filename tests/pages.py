"""What the tests of the page share: its elements, and studies to report of."""

import re
from html.parser import HTMLParser

import polars as pl
import synthetic

from attnlogic.report import made_page

NASTY = "<script>alert(1)</script>"


class Elements(HTMLParser):
    """The page as a parser of HTML sees it.

    Attributes:
      tags: every start tag, with its attributes.
      text: what stands between tags, scripts and styles left out.
      scripts: the content of every script, with its type.
    """

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.scripts, self._within = [], "", [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._within = tag
        if tag == "script":
            self.scripts.append((dict(attributes).get("type", ""), ""))

    def handle_endtag(self, tag):
        self._within = ""

    def handle_data(self, data):
        if self._within == "script":
            kind, text = self.scripts.pop()
            self.scripts.append((kind, text + data))
        elif self._within != "style":
            self.text += data

    def of(self, tag):
        """The attributes of every such element."""
        return [attributes for name, attributes in self.tags if name == tag]


def folder(path, *parts, keep=None):
    """A study on disk of these rows; unfinished if only some seeds are kept."""
    runs = synthetic.study(path, *parts)
    if keep is not None:
        for file in sorted((path / "parts").rglob("*.parquet"))[keep:]:
            file.unlink()
    return runs


def rows(gate="xor", by="adam", seeds=range(40), **how):
    return synthetic.rows(gate, by, seeds, **how)


HITS = ["first_hit", "sustained_from", "stopped_at", "C_first_hit", "worst_after_hit",
        "evaluations_first_hit", *(f"first_hit_1e-{k}" for k in range(1, 11))]  # fmt: skip
ENDS = ["final_loss", "gradient_norm", "C", "wq", "wk", "wv", "w1", "w2", "b"]


def _all(some, status, **values):
    """The runs without a hit, with this status and these values."""
    everywhere = {**dict.fromkeys(HITS), "rises": 0, "exits": 0, "status": status, **values}
    return some.with_columns(
        pl.lit(value).cast(some[name].dtype).alias(name) for name, value in everywhere.items()
    )


def diverged(some):
    """Every run of them diverged at its third epoch."""
    return _all(some, "diverged", diverged_at=3, **dict.fromkeys(ENDS))


def without_hits(some):
    """Every run of them ended at a loss of 1."""
    return _all(some, "unsolved", diverged_at=None, min_loss=1, **dict.fromkeys(ENDS, 1))


def page_of(runs, of=""):
    text = made_page(runs, of)
    return text, Elements(text)


def section_text(page, name):
    """The text of a section, without tags."""
    inside = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)[0]
    return " ".join(Elements(inside).text.split())
