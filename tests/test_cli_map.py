"""``attnlogic map``: what it writes and prints, what it refuses."""

import shlex

import polars as pl
import pytest
from PIL import Image

from attnlogic.studies import planes

PLANE = ("--x", "lr=0.1..10:log:30", "--y", "weight_decay=0..0.5:20", "--epochs", "100")


def test_it_writes_a_picture_and_rows_and_names_a_closer_look(type_in, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = type_in(
        "map", "xor", "-o", "sgd", *PLANE, "-o", "map.png", "-o", "map.parquet"
    )
    assert code == 0
    assert "wrote map.png" in err
    with Image.open("map.png") as picture:
        assert picture.size[0] > 1000
    rows = pl.read_parquet("map.parquet")
    assert len(rows) == 600
    assert {"x", "y", "status", "first_hit", "final_loss", "C"} <= {*rows.columns}
    assert out.startswith("600 points: ")
    (line,) = (line for line in out.splitlines() if line.startswith("closer: "))
    _, program, *words = shlex.split(line)
    assert program == "attnlogic"
    code, out, err = type_in(*words)
    assert (code, "wrote map-zoom.png" in err) == (0, True)
    assert "-o map-zoom.png" in out  # not map-zoom-zoom


def test_all_that_was_asked_is_in_the_command(type_in, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = (
        "--seed", "3", "--by", "final_loss", "--threshold", "0.001", "--precision", "float64",
        "--init", "normal", "--model", "mlp(hidden=2)", "--encoding", "pm1",
    )  # fmt: skip
    code, out, _ = type_in("map", "nand", "-o", "adam(beta1=0.5)", *PLANE, *asked)
    assert code == 0
    assert (tmp_path / "map.png").exists()
    words = shlex.split(out.splitlines()[-1])
    for flag, value in zip(asked[::2], asked[1::2], strict=True):
        assert words[words.index(flag) + 1] == value
    assert words[words.index("-o") + 1] == "adam(beta1=0.5)"


def test_ctrl_c_leaves_no_file(type_in, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(planes, "_put", interrupted)
    code, out, err = type_in("map", "xor", *PLANE, "-o", "map.parquet")
    assert (code, out) == (130, "")
    assert "interrupted: no file was written" in err
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "sgd", "-o", "adam"), "a map has one optimizer"),
        (("-o", "map.gif"), "optimizer 'map.gif' is not of the form"),
        (("-o", "nowhere/map.png"), "there is no folder 'nowhere'"),
        (("-o", "nowhere/map.parquet"), "there is no folder 'nowhere'"),
        (("--zoom", "0.1..0.2"), "expected two parts"),
        (("--zoom", "0.1..0.2,0..9"), "is no part of"),
        (("--data", "rows.csv"), "two things to fit"),
        (("--x", ""), "--x: expected lr="),
        (("--backend", "torch"), "use --backend jax"),
    ],
)
def test_what_it_cannot_do_is_refused(type_in, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = type_in("map", "xor", *PLANE, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert not [*tmp_path.iterdir()]
