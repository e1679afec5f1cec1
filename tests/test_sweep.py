"""The statistic of sweeps: its definition, computed slowly from the rows; its sheet and picture."""

import json

import polars as pl
import pytest
import synthetic
from swept import rows, sweep_of_lr

import attnlogic
from attnlogic.errors import InputError
from attnlogic.statistics.intervals import clopper_pearson, wilson
from attnlogic.statistics.summary import statistic as summarize
from attnlogic.statistics.sweep import statistic as sweep
from attnlogic.statistics.sweep_chart import scale
from attnlogic.statistics.times import statistic as times
from attnlogic.view import markdown
from attnlogic.view.sheet import folded


@pytest.fixture(scope="module")
def product():
    """Runs of every kind of a product sweep of three by two values, on two gates."""
    texts = [f"sgd(lr={lr},momentum={m})" for lr in (0.1, 0.2, 1) for m in (0.5, 0.9)]
    return pl.concat(
        synthetic.rows(gate, text, range(40)) for gate in ("xor", "nand") for text in texts
    )


def test_each_value_of_each_curve_is_the_condition_of_the_rows(product):
    frame = sweep(product)
    assert len(frame) == 2 * (2 * 3 + 3 * 2)
    for row in frame.iter_rows(named=True):
        text = row["optimizer"].replace("…", f"{row['value']:g}")
        runs = product.filter(gate=row["gate"], optimizer=text).to_dicts()
        n = len(runs)
        solved = sum(run["status"] == "solved" for run in runs)
        hits = sorted(run["first_hit"] for run in runs if run["first_hit"] is not None)
        assert (row["runs"], row["solved"], row["reached"]) == (40, solved, len(hits))
        assert (row["solve_rate"], row["reach_rate"]) == (solved / n, len(hits) / n)
        assert (row["solve_low"], row["solve_high"]) == wilson(solved, n)
        assert (row["reach_low"], row["reach_high"]) == wilson(len(hits), n)
        padded = hits + [None] * (n - len(hits))
        quartiles = [row[f"first_hit_{q}"] for q in ("q25", "median", "q75")]
        assert quartiles == [padded[n // 4 - 1], padded[n // 2 - 1], padded[3 * n // 4 - 1]]
        epochs = evaluations = 0
        for run in runs:
            ends = [run["first_hit"], run["stopped_at"], run["diverged_at"], run["epochs"]]
            missed = run["first_hit"] is None
            epochs += min(end for end in ends if end is not None) if missed else ends[0]
            evaluations += run["evaluations" if missed else "evaluations_first_hit"]
        assert row["ert"] == pytest.approx(epochs / len(hits), rel=1e-12)  # sums in another order
        assert row["ert_evaluations"] == pytest.approx(evaluations / len(hits), rel=1e-12)


def test_its_numbers_are_those_of_the_other_statistics(product):
    frame = sweep(product).filter(setting="lr")
    text = pl.col("optimizer").str.replace("…", pl.format("{}", "value").str.strip_suffix(".0"))
    frame = frame.with_columns(optimizer=text)
    keys = ["gate", "optimizer"]
    for statistic, names in (
        (summarize, ["runs", "reached", "reach_low", "solved", "solve_high", "first_hit_q25"]),
        (times, ["ert", "ert_evaluations"]),
    ):
        both = frame.join(statistic(product), on=keys, suffix="_other")
        assert len(both) == 12
        for name in names:
            assert both[name].equals(both[f"{name}_other"], check_names=False, null_equal=True)


def test_the_swept_value_is_left_out_of_what_is_common():
    texts = ["adam", "adam(lr=1)"]
    some = [rows(4, 9, optimizer=text, epochs=epochs) for text in texts for epochs in (40, 80)]
    frame = sweep(pl.concat(some))
    common = frame.select("setting", "optimizer", "epochs").unique(maintain_order=True).rows()
    assert common == [
        ("epochs", "adam", None),
        ("epochs", "adam(lr=1)", None),
        ("lr", "adam(lr=…)", 40),
        ("lr", "adam(lr=…)", 80),
    ]
    assert frame.filter(setting="epochs")["value"].to_list() == [40, 80] * 2
    named = sweep.shown(frame)
    titles = [row[1] for row in named.rows if row[1]]
    assert titles == ["adam", "adam(lr=1)", "adam(lr=…) · 40", "adam(lr=…) · 80"]


def test_what_varies_on_one_curve_and_is_fixed_on_another_is_marked_in_its_name():
    inits = ["normal", "normal(scale=2)"]
    some = [rows(4, 9, optimizer="adam", epochs=n, init=init) for n in (40, 80) for init in inits]
    sheet = sweep.shown(sweep(pl.concat(some)))
    assert [row[1:3] for row in sheet.rows if row[1]] == [
        ["adam · … · normal", "epochs"],
        ["adam · … · normal(scale=2)", "epochs"],
        ["adam · 40 · normal(scale=…)", "init_scale"],
        ["adam · 80 · normal(scale=…)", "init_scale"],
    ]


def test_a_tally_says_the_same(product):
    assert sweep(attnlogic.tally(product)).equals(sweep(product))


def test_options(product):
    assert set(sweep(product, setting="lr")["setting"]) == {"lr"}
    row = sweep(product, interval=clopper_pearson, level=0.8).row(0, named=True)
    expected = clopper_pearson(row["solved"], row["runs"], 0.8)
    assert (row["solve_low"], row["solve_high"]) == expected
    for by, name in (("solve", "solve_rate"), ("reach", "reach_rate"), ("ert", "ert")):
        frame = sweep(product, by=by)
        for curve in frame.partition_by("gate", "optimizer", "setting"):
            best = curve.filter(best="best")[name].to_list()
            assert best == [curve[name].min() if by == "ert" else curve[name].max()]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "solved"}, "unknown by 'solved': did you mean 'solve'?"),
        ({"setting": "momentun"}, "unknown swept setting 'momentun': did you mean 'momentum'?"),
        ({"setting": 3}, "setting: expected the name of a swept setting such as lr, got 3"),
        ({"level": 2}, "level: expected a share"),
        ({"interval": "wald"}, "unknown interval 'wald'"),
    ],
)
def test_a_wrong_option_is_refused(product, options, message):
    with pytest.raises(InputError) as error:
        sweep(product, **options)
    assert message in str(error.value)


@pytest.mark.parametrize("texts", [["adam"], ["adam", "sgd(lr=1)"], []])
def test_without_a_sweep_it_says_what_makes_one(texts):
    some = pl.concat([rows(1, 2)[:0], *(rows(1, 2, optimizer=text) for text in texts)])
    with pytest.raises(InputError, match=r"no sweep in these runs.*-o 'adamw\(lr=1e-4\.\.1:log"):
        sweep(some)


FINDINGS = [
    ((2, 60, 90, 88, 5), "best lr 0.1 (0.1 … 1), 90.0 % solved"),
    ((2, 20, 90, 20, 5), "best lr 0.1, 90.0 % solved"),
    ((2, 20, 60, 70, 97), "best lr 10, 97.0 % solved; at the edge of the range: sweep further up"),
    (
        (97, 20, 5),
        "best lr 0.001, 97.0 % solved; at the edge of the range: sweep further down",
    ),
    (
        (5, 20, 97, 96),
        "best lr 0.1 (0.1 … 1), 97.0 % solved; tied up to the edge of the range: sweep further up",
    ),
    (
        (94, 20, 97, 95),
        "best lr 0.1 (0.001 … 1), 97.0 % solved; tied up to the edge of the range: "
        "sweep further down and up",
    ),
    (
        (96, 98, 97),
        "best lr 0.01 (0.001 … 0.1), 98.0 % solved; no value is significantly worse: "
        "train more seeds",
    ),
    ((0, 0, 0), "no lr solved any run"),
]


@pytest.mark.parametrize(("counts", "words"), FINDINGS)
def test_what_was_found_in_words(counts, words):
    frame = sweep(sweep_of_lr(counts))
    sheet = sweep.shown(frame)
    line = f"xor · adamw(lr=…): {words}" if words.startswith("best") else words
    assert sheet.findings in [(line,), (f"xor · adamw(lr=…): {line}",)]
    assert f"- xor · adamw(lr=…): {words}\n" in markdown(sheet)


def test_a_bound_of_the_setting_is_no_edge():
    decays = (("adamw(weight_decay=0)", 97), ("adamw", 20), ("adamw(weight_decay=0.1)", 3))
    some = pl.concat(rows(solved, optimizer=text) for text, solved in decays)
    frame = sweep(some)
    assert frame["edge"].to_list() == [None, None, "high"]
    assert sweep.shown(frame).findings == (
        "xor · adamw(weight_decay=…): best weight_decay 0, 97.0 % solved",
    )


def test_what_is_best_in_other_things():
    texts = ("adam(lr=0.1)", "adam(lr=1)", "adam(lr=10)")
    counts = ((50, 0), (40, 45), (0, 1))
    some = pl.concat(
        rows(solved, lost=lost, optimizer=text)
        for text, (solved, lost) in zip(texts, counts, strict=True)
    )
    # first hits at epochs 2 and 1, and a budget of 40: (40·2 + 45·1 + 15·40)/85 = 8.5
    for by, words in (("reach", "best lr 1, 85.0 % reached"), ("ert", "best lr 1, ERT 9 epochs")):
        assert sweep.shown(sweep(some, by=by), {"by": by}).findings[0].endswith(words)
    nothing = some.with_columns(pl.lit(None, pl.Int32).alias("first_hit"))
    for by in ("reach", "ert"):
        (line,) = sweep.shown(sweep(nothing, by=by), {"by": by}).findings
        assert line == "xor · adam(lr=…): no lr reached the threshold in any run"


def test_a_sheet_of_many_values_names_each_curve_once_and_each_value_in_full():
    text = "adamw(lr=0.00021544346900318837)"
    some = [sweep_of_lr((0, 50, 100), gate=gate) for gate in ("xor", "or")]
    sheet = sweep.shown(sweep(pl.concat([*some, rows(7, optimizer=text, gate="or")])))
    assert sheet.titles == (
        "gate", "optimizer", "lr", "runs", "reached %", "solved %", "ERT", "best"
    )  # fmt: skip
    assert [row[:3] for row in sheet.rows] == [
        ["xor", "adamw(lr=…)", "0.001"], ["", "", "0.01"], ["", "", "0.1"],
        ["or", "adamw(lr=…)", "0.00021544346900318837"],
        ["", "", "0.001"], ["", "", "0.01"], ["", "", "0.1"],
    ]  # fmt: skip
    assert sheet.rows[1][3:6] == ["100", "50.0 (40.4–59.6)", "50.0 (40.4–59.6)"]
    assert [row[-1] for row in sheet.rows] == ["", "", "best", "", "", "", "best"]
    assert folded(sheet, 100) == (sheet, ())  # not one cell is folded


def test_several_settings_have_a_column_of_their_own(product):
    sheet = sweep.shown(sweep(product))
    assert sheet.titles[:4] == ("gate", "optimizer", "setting", "value")
    assert [row[2] for row in sheet.rows if row[2]] == 2 * (["lr"] * 2 + ["momentum"] * 3)


# --- the picture --------------------------------------------------------------------------------


def test_the_curves_of_several_gates_share_a_panel(product):
    both = pl.concat(sweep_of_lr((0, 50, 90), gate=gate) for gate in ("xor", "or"))
    spec = sweep.chart(both).to_dict(validate=True)
    (block,) = spec["vconcat"]
    (panel,) = block["concat"]
    assert panel["title"]["text"] == "adamw(lr=…)"
    band, line, points = panel["layer"]
    assert [layer["mark"]["type"] for layer in (band, line, points)] == ["area", "line", "point"]
    assert line["encoding"]["x"]["scale"]["type"] == "log"
    assert line["encoding"]["color"]["scale"]["domain"] == ["xor", "or"]
    (values,) = spec["datasets"].values()
    frame = sweep(both)
    assert [value["middle"] for value in values] == frame["solve_rate"].to_list()
    assert [value["best"] for value in values] == [None, None, "best"] * 2
    low, high = wilson(50, 100)
    assert (values[1]["low"], values[1]["high"]) == (round(low, 4), round(high, 4))


def test_of_a_product_each_gate_has_a_panel_for_each_setting(product):
    spec = sweep.chart(product).to_dict(validate=True)
    assert len(spec["vconcat"]) == 2
    for block, setting, lines in zip(spec["vconcat"], ("lr", "momentum"), (2, 3), strict=True):
        assert [panel["title"]["text"] for panel in block["concat"]] == ["xor", "nand"]
        encoding = block["concat"][0]["layer"][1]["encoding"]
        assert encoding["x"]["title"] == setting
        assert len(encoding["color"]["scale"]["domain"]) == lines


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1e-4, 1e-3, 0.01], "log"),
        ([0.001, 0.002, 0.005, 0.01], "log"),
        ([0.01, 1], "log"),
        ([2, 3, 4], "linear"),
        ([1, 2], "linear"),
        ([0, 1, 2], "linear"),
        ([0, 1], "linear"),
        ([-1, 1, 100], "linear"),
        ([0, 0.001, 0.01, 0.1], "symlog"),
    ],
)
def test_values_are_spaced_as_they_were_chosen(values, kind):
    assert scale(values).type == kind


# --- the commands -------------------------------------------------------------------------------


def test_the_commands(type_in, tmp_path, monkeypatch):
    from attnlogic.cli import study

    folder, picture = tmp_path / "demo", tmp_path / "lr.svg"
    words = ("study", "xor", "-o", "adamw(lr=[0.01,0.05])", "--seeds", 9, "--epochs", 300)
    assert "reached %" in type_in(*words, "--out", tmp_path / "few")[1]
    monkeypatch.setattr(study, "MAX_SUMMARY", 1)
    code, out, err = type_in(*words, "--out", folder)
    assert code == 0
    assert out.startswith("xor · adamw(lr=…): best lr 0.0")
    assert out.count("\n") == 1
    assert err.endswith(f"18 runs in {folder}: attnlogic sweep {folder}\n")
    code, out, err = type_in("sweep", folder, "--format", "json", "--plot", picture)
    assert (code, err) == (0, f"wrote {picture}\n")
    assert [row["value"] for row in json.loads(out)] == [0.01, 0.05]
    assert picture.read_text().startswith("<svg")
    table = type_in("sweep", folder, "--by", "ert", "--setting", "lr")[1]
    assert "xor · adamw(lr=…): best lr 0.05" in table
    words = ("study", "xor", "or", "-o", "adam", "--seeds", 2, "--epochs", 9)
    assert "reached %" in type_in(*words, "--out", tmp_path / "other")[1]  # there is no sweep
    assert attnlogic.sweep is sweep
