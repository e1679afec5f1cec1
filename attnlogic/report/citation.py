"""How to cite the package: what CITATION.cff says, for a page and for BibTeX."""

from __future__ import annotations

from attnlogic.version import __version__

TITLE = "attnlogic: what do optimizers really find?"
AUTHORS = "The attnlogic developers"
MESSAGE = "If you use attnlogic, please cite it as below."


def citation() -> str:
    """In words.

    Example:
      >>> citation()[:66]
      'The attnlogic developers. attnlogic: what do optimizers really fin'
    """
    return f"{AUTHORS}. {TITLE} Version {__version__}. Computer software."


def bibtex() -> str:
    """As an entry for BibTeX."""
    lines = {"author": f"{{{AUTHORS}}}", "title": TITLE, "version": __version__}
    fields = "".join(f"  {name} = {{{value}}},\n" for name, value in lines.items())
    return f"@software{{attnlogic,\n{fields}}}"
