"""The benchmark's tables, picture and files say what was measured; a busy machine writes none."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import bench.__main__ as command
from attnlogic.view.picture_files import save
from bench import growth, picture, report
from bench.load import LIMIT_CORES, Load
from bench.machine import machine
from bench.parts import PARTS
from bench.work import DisagreementError

ROOT = Path(__file__).parent.parent
MACHINE = {"cpu": "abacus", "cores": 2, "device": "beads", "python": "3", "jax": "1", "optax": "2",
           "equinox": "5", "torch": "4", "instructions": ["avx2"], "vector_bits": 256,
           "caches": {"L1d": 49152, "L1i": 32768, "L2": 2**21}}  # fmt: skip


def small_results():
    agreement = {"reached": 0.5, "attnlogic_reached": 0.25, "sign_p": 0.5, "first_hit_p": 0.4,
                 "alike": 1.0}  # fmt: skip
    ours = {"contender": "attnlogic", "seeds": 100, "epochs": 10, "evaluations": 4000,
            "agreement": agreement, "first_seconds": 1.02,
            "seconds": [0.01, 0.5, 0.02]}  # fmt: skip
    slow = {**ours, "contender": "torch", "seeds": 10, "evaluations": 200, "first_seconds": 2.5,
            "seconds": [2.0] * 5 + [4.0], "attnlogic": [0.02] * 6, "load": [0.1] * 6}  # fmt: skip
    left_out = {"contender": "C", "seeds": 100, "epochs": 10, "skipped": "no C compiler"}
    work = {"optimizer": "lbfgs", "contenders": [ours, slow, left_out]}
    other = {"model": "mlp", "gate": "parity3", "parameters": 11, "threshold": 1e-4,
             "contenders": [ours, slow, slow]}  # fmt: skip
    point = {"optimizer": "adamw", "seeds": 10, "epochs": 10, "chunk": 10, "seconds": [1.0],
             "first_seconds": 3.0, "peak_bytes": 2**28, "conditions": 1, "bits": 2,
             "parameters": 6, "load": 0.1}  # fmt: skip
    study = {"seeds": 7, "epochs": 8, "wall_seconds": [3.0], "train_seconds": [2.0],
             "peak_bytes": 2**28, "stored_bytes": 2**20, "compiles": True}  # fmt: skip
    curve = [{**point, "way": growth.ATTNLOGIC}, {**point, "way": growth.PEER, "seconds": [2.5]},
             {**point, "way": growth.COUNTED, "seeds": 1000}]  # fmt: skip
    roofline = {"bytes_a_second": 1e9, "operations_a_second": 1e9,
                "optimizers": {"adamw": {"operations": 200, "bytes_moved": 300}}}  # fmt: skip
    measured = {
        "comparison": [work],
        "models": [other],
        "torch": [{**work, "contenders": [ours, ours, slow]}],
        **dict.fromkeys(growth.AXES, curve),
        "optimizers": {"optimizers": [point], "loops": 7},
        "accelerator": {"roofline": roofline, "optimizers": [point], "chunks": [point]},
        "startup": {"help": [0.1], "python": [0.01], "import": [0.02]},
        "studies": [study],
    }
    about = {"date": "2000-01-01", "machine": MACHINE, "load": 0.125}
    return {name: {**about, "measured": value} for name, value in measured.items()}


def test_the_tables_say_what_was_measured():
    text = report.markdown(small_results())
    lines = text.splitlines()
    assert (
        "abacus, 2 cores, vectors of 256 bits (avx2), L1d 48 KiB, L2 2 MiB, JAX on beads, "
        "python 3, jax 1, optax 2, equinox 5, torch 4; 2000-01-01; before a measurement "
        "other work kept at most 0.12 cores busy." in lines
    )
    # 1000 seed-epochs in 0.02 s, the median; torch's 100 in 2 s.
    assert (
        "| lbfgs | attnlogic | 100 × 10 | 0.02 (0.01–0.5) | 5.00e+04 | 1 | 1.0 | 50.00% / 25.00% "
        "| 0.4 | 100.0% |" in lines
    )
    assert any(
        line.startswith("| lbfgs | torch | 10 × 10 | 2 (2–4) | 5.00e+01 | 1,000 (1,000–2,000) |")
        for line in lines
    )
    assert "| lbfgs | C | left out: no C compiler | – | – | – | – | – | – | – |" in lines
    ratio = "1,000 (1,000–2,000)"
    assert (
        f"| mlp | parity3 | 11 | 5.00e+04 | {ratio} | {ratio} | 1.0 | 0.5 | 0.5 | 0.0001 | 0.4 "
        "| 100.0% |" in lines
    )
    assert (
        f"| lbfgs | 100 × 10 | 5.00e+01 | 5.00e+04 | {ratio} | 5.00e+04 | 50.00% / 25.00% "
        "| 100.0% |" in lines
    )
    assert "attnlogic 2.00e+05, torch 1.00e+02, ratio 2,000." in text
    assert "| 10 | JAX, the fastest found | 2.5 (2.5–2.5) | 4.00e+01 | 2.50 | 0.5 | 256 |" in lines
    assert "| 1,000 | attnlogic, a census | 1 (1–1) | 1.00e+04 |  |  | 256 |" in lines
    assert "| 7 × 8 | new | 3 (3–3) | 2 (2–2) | 1.50 | 256 | 1.0 |" in lines
    for table in text.split("\n\n"):  # every row has a cell for every column
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_every_part_has_a_table():
    assert list(report.PARTS) == list(PARTS)


def test_the_picture_has_a_row_of_panels_for_each_axis(tmp_path):
    curves = {name: small_results()[name]["measured"] for name in growth.AXES}
    save(picture.chart(curves), tmp_path / "cost.svg")
    drawn = (tmp_path / "cost.svg").read_text(encoding="utf-8")
    for title in (*growth.AXES, *picture.COLUMNS, growth.ATTNLOGIC, growth.PEER, growth.COUNTED):
        assert f">{title}</text>" in drawn


def test_what_a_panel_shows_of_a_point():
    row = {"way": growth.ATTNLOGIC, "seeds": 10, "epochs": 10, "conditions": 5, "seconds": [0.5],
           "first_seconds": 2.0, "peak_bytes": 2**20}  # fmt: skip
    shown = [picture.value(row, what) for what in picture.COLUMNS]
    assert shown == [1e6, 1.5, 1.0]
    assert picture.value({**row, "way": growth.COUNTED}, "s to compile") is None


def test_the_readme_has_the_markers_and_only_what_is_between_them_is_replaced(tmp_path):
    whole = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    assert whole.count(report.BEGIN) == whole.count(report.END) == 1
    copy = tmp_path / "README.md"
    copy.write_text(whole, encoding="utf-8")
    for text in ("first\n", "second\n"):
        report.write(text, copy)
    before, after = whole.split(report.BEGIN)[0], whole.split(report.END)[1]
    expected = f"{before}{report.BEGIN}\nsecond\n{report.END}{after}"
    assert copy.read_text(encoding="utf-8") == expected
    copy.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match="expected <!-- results -->"):
        report.write("text", copy)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder in place of the benchmark's own, with an empty README.md."""
    (tmp_path / "README.md").write_text(f"{report.BEGIN}\n{report.END}\n", encoding="utf-8")
    monkeypatch.setattr(command, "HERE", tmp_path)
    return tmp_path


def on_a_machine(monkeypatch, load):
    """Other work keeps so many cores busy; nothing is waited for."""
    monkeypatch.setattr(
        command, "load", lambda must_be_quiet: Load(must_be_quiet, lambda seconds: load, 0)
    )


def bench(*arguments):
    return CliRunner().invoke(command.app, ["--quick", *map(str, arguments)])


def startup(sizes, load):
    return {"help": [0.1], "python": [0.01], "import": [0.02], "load": [load()]}


def test_a_busy_machine_publishes_nothing_unless_asked_to(here, monkeypatch, tmp_path):
    monkeypatch.setitem(PARTS, "startup", startup)
    on_a_machine(monkeypatch, 1.5)
    before = (here / "README.md").read_text(encoding="utf-8")
    publish = ["--out", here, "--only", "startup"]
    refused = bench(*publish)
    assert refused.exit_code == 1
    assert re.search(r"other work keeps 1\.50 of \d+ cores busy.*at most 0\.25", refused.output)
    assert "--anyway" in refused.output
    assert "again: python -m bench --only startup" in refused.output
    assert (here / "README.md").read_text(encoding="utf-8") == before
    assert not (here / "results.json").exists()

    elsewhere = tmp_path / "elsewhere"
    done = bench("--out", elsewhere, "--only", "startup")
    assert done.exit_code == 0
    assert "at most 1.50 cores busy" in (elsewhere / "results.md").read_text(encoding="utf-8")
    assert "### Start" in done.output

    assert bench(*publish, "--anyway").exit_code == 0
    assert "at most 1.50 cores busy" in (here / "README.md").read_text(encoding="utf-8")


def test_a_part_is_added_to_the_others_and_those_of_an_earlier_form_are_dropped(here, monkeypatch):
    monkeypatch.setitem(PARTS, "startup", startup)
    on_a_machine(monkeypatch, LIMIT_CORES)
    file = here / "results.json"
    known = {"studies": small_results()["studies"], "costs": {"measured": []}}
    file.write_text(json.dumps(known), encoding="utf-8")
    assert bench("--out", here, "--only", "startup").exit_code == 0
    results = json.loads(file.read_text(encoding="utf-8"))
    assert set(results) == {"studies", "startup"}
    assert results["startup"]["machine"] == json.loads(json.dumps(machine()))
    written = (here / "README.md").read_text(encoding="utf-8")
    assert "### Start" in written
    assert "| 7 × 8 |" in written


def test_what_disagrees_is_named_and_the_other_parts_are_measured(here, monkeypatch):
    def disagreeing(sizes, load):
        raise DisagreementError("they differ")

    monkeypatch.setitem(PARTS, "comparison", disagreeing)
    monkeypatch.setitem(PARTS, "startup", startup)
    on_a_machine(monkeypatch, 0.0)
    done = bench("--out", here, "--only", "comparison", "--only", "startup")
    assert done.exit_code == 1
    assert "error: they differ" in done.output
    assert "not measured: comparison; again: python -m bench --only comparison" in done.output
    assert set(json.loads((here / "results.json").read_text(encoding="utf-8"))) == {"startup"}
