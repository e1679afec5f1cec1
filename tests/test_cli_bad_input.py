"""What the commands say of bad input."""

import os
import sys

import pytest

from attnlogic.cli.options import read_seeds
from attnlogic.errors import InputError

BAD = {
    "study xro": ["unknown gate 'xro'", "did you mean 'xor'", "0110"],
    "study 011": ["'011'", "3 bits"],
    "study -o adan": ["unknown optimizer 'adan'", "did you mean 'adam'", "lbfgs"],
    "study -o adam(lr=x)": ["lr of adam", "expected a finite number above 0", "'x'"],
    "study -o adam(rl=1)": ["'rl'", "lr"],
    "study -o adam(": ["adam(", "name(key=value"],
    "study -o lbfgs_zoom --backend torch": ["optimizer of the torch backend 'lbfgs_zoom'"],
    "study --seeds 0": ["--seeds 0 has no seed", "from 1"],
    "study --seeds -5": ["--seeds", "'-5'"],
    "study --seeds 5:2": ["--seeds 5:2 has no seed", "such as 5:1005"],
    "study --seeds 5:5": ["--seeds 5:5 has no seed"],
    "study --seeds -3": ["seeds are numbers from 0", "'-3'"],
    "study --seeds many": ["--seeds", "'many'"],
    "study --seeds 4294967290:4294967297": ["4294967295"],
    "study --epochs 0": ["epochs", "got 0"],
    "study --epochs few": ["--epochs"],
    "study --threshold 0": ["threshold", "above 0"],
    "study --threshold nan": ["threshold", "nan"],
    "study --backend jx": ["unknown backend 'jx'", "did you mean 'jax'"],
    "study --precision float16": ["unknown precision 'float16'", "float32"],
    "study --init xavier": ["unknown initialization 'xavier'", "normal"],
    "study --init normal(scale=0)": ["scale of normal", "1e-37"],
    "study --until hti": ["unknown value of until 'hti'", "did you mean 'hit'"],
    "study --jobs 2": ["--jobs 2", "leave it out"],
    "study --jobs 0 --backend torch": ["jobs", "got 0"],
    "study --backend torch --device gpu": ["device: expected cpu, or cuda, mps", "got 'gpu'"],
    "study --device cuda": ["the jax backend", "leave --device out", "JAX_PLATFORMS"],
    "study --out .": ["not empty", "--out"],
    "study --nonsense": ["--nonsense"],
    "train": ["gate"],
    "train xor --seed -1": ["seed", "-1"],
    "train xor --seed 4294967296": ["4294967295", "4294967296"],
    "train xor --every 0": ["--every", "0"],
    "train xor --plot loss.jpg": ["loss.jpg", ".svg"],
    "train xor --from 5": ["--from 5", "--plot"],
    "summary nowhere": ["nowhere", "no such folder"],
    "runs nowhere": ["nowhere", "no such folder"],
    "train xor --plot nowhere/a.svg": ["no folder 'nowhere'", "make it first"],
    "ladder . --plot nowhere/a.svg": ["no folder 'nowhere'"],
    "tally . --out nowhere/t.parquet": ["no folder 'nowhere'"],
    "summary . --level 1": ["level", "0.95"],
    "starts . --bins 3": ["bins", "even", "3"],
    "basins file": ["'file'", "every run"],
    "summary . --interval wald": ["unknown interval 'wald'", "jeffreys"],
    "times nowhere": ["nowhere", "no such folder"],
    "endings nowhere": ["nowhere", "no such folder"],
    "solutions nowhere": ["nowhere", "no such folder"],
    "ladder nowhere": ["nowhere", "no such folder"],
    "ladder . --plot x.jpg": ["x.jpg", ".svg"],
    "tally nowhere --out new.parquet": ["nowhere", "no such folder"],
    "tally .": ["--out"],
    "summary file": ["'file'", "tally"],
    "compare file": ["'file'", "every run"],
    "stability nowhere": ["nowhere", "no such folder"],
    "starts nowhere": ["nowhere", "no such folder"],
    "curvature nowhere": ["nowhere", "no such folder"],
    "compare nowhere": ["nowhere", "no such folder"],
    "theory xro": ["unknown gate 'xro'"],
    "summary . --format pdf": ["pdf", "markdown"],
    "sudy": ["sudy"],
    f"summary {'x' * 300}": ["error: 'xxx", "File name too long"],
    f"study xor --out {'x' * 300}": ["xxx'", "File name too long"],
    f"tally . --out {'x' * 300}": ["error: 'xxx", "File name too long"],
    f"plot . C -o {'x' * 300}.svg": ["error: 'xxx", "File name too long"],
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_one_screen_and_exit_code_2(type_in, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("a study needs an empty folder")
    code, out, err = type_in(*words.split())
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 12
    for fragment in BAD[words]:
        assert fragment in err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]  # nothing was begun


@pytest.mark.parametrize(
    "words",
    [
        "train xor --plot no/a.svg",
        "map xor -o no/a.png",
        "map xor -o no/a.parquet",
        "ladder {study} --plot no/a.svg",
        "plot {study} C -o no/a.svg",
        "plot {study} --all -o no/charts",
        "report {study} -o no/a.html",
        "tally {study} --out no/a.parquet",
    ],
)
def test_a_file_that_may_not_be_written_is_named_before_any_work(
    type_in, study, tmp_path, monkeypatch, words
):
    (tmp_path / "no").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    code, out, err = type_in(*words.format(study=study.directory).split())
    assert (code, out) == (2, "")
    assert "cannot write 'no/" in err
    assert "you may not write to 'no'" in err


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", range(3)), ("2:5", range(2, 5)), ("10_000", range(10_000)), ("0:1", range(1))],
)
def test_seeds_are_a_number_or_a_range(text, seeds):
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", ":", "1:", ":5", "1:2:3", "1.5", "5:5", "-3"])
def test_other_seeds_are_refused(text):
    with pytest.raises(InputError, match="--seeds"):
        read_seeds(text)


def test_parquet_is_not_printed_on_a_terminal(type_in, study, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, out, err = type_in("runs", study.directory, "--format", "parquet")
    assert (code, out) == (2, "")
    assert "> FILE" in err
