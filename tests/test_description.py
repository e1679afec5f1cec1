"""``study.json``: what is wrong in it is named, with its key, and nothing in it leads outside."""

import json

import pytest
from stored import DESCRIPTION, describe, files, rows, write

from attnlogic.errors import InputError
from attnlogic.results import load
from attnlogic.results.store import writing
from attnlogic.results.store.digests import digest


def written(runs, description, *, sealed=True):
    """Write a description as it is, with the checksum that fits unless it is to be wrong."""
    said = {name: value for name, value in description.items() if name != "checksum"}
    if sealed:
        said["checksum"] = digest(said)
    (runs.directory / "study.json").write_text(json.dumps(said), encoding="utf-8")


def put(description, path, value):
    """The description with another value at a path of keys."""
    said = json.loads(json.dumps(description))
    inner = said
    for key in path[:-1]:
        inner = inner[key]
    if value is KeyError:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return said


def refusal(directory):
    """What reading a folder is refused with; empty if it is read, all of it."""
    try:
        found = load(directory)
    except InputError as error:
        return str(error)
    except UserWarning:  # a part that is no longer of the study
        return ""
    found.table()
    repr(found)
    return ""


def paths(value, at=()):
    """The path of every value in a description, those of lists by their first entry."""
    if at:
        yield at
    inner = {dict: dict.items, list: lambda some: enumerate(some[:1])}
    for key, one in inner.get(type(value), lambda _: ())(value):
        yield from paths(one, (*at, key))


EVERY = [*paths(json.loads(json.dumps(describe())))]
WRONG = [None, True, -1, 2**70, 1.5, "", "x", [], {}, [[[]]], [None]]


@pytest.mark.parametrize("path", EVERY, ids=lambda path: ".".join(map(str, path)))
def test_a_wrong_type_anywhere_is_named_and_never_a_traceback(runs, path):
    write(runs.directory, [0, 1])
    refused = 0
    for value in WRONG:
        written(runs, put(runs.description, path, value))
        if said := refusal(runs.directory):
            refused += 1
            assert str(runs.directory / "study.json") in said
            assert str(path[0]) in said
    assert refused >= 3 or path[0] == "backend"


@pytest.mark.parametrize("key", ["precision", "threshold", "kinds", "conditions"])
def test_what_is_missing_is_named(runs, key):
    written(runs, put(runs.description, (key,), KeyError))
    with pytest.raises(InputError, match=f"'{key}' is missing"):
        load(runs.directory)


@pytest.mark.parametrize("number", [4, 999, 10**30])
def test_a_later_format_is_refused_by_its_number(runs, number):
    written(runs, put(runs.description, ("format",), number))
    with pytest.raises(InputError, match=f"has the format {number}.*reads up to 3") as error:
        load(runs.directory)
    assert "a later one" in str(error.value)


@pytest.mark.parametrize("number", [True, 0, -3, "3", 3.0, None, [3]])
def test_a_format_that_is_no_number_is_named(runs, number):
    written(runs, put(runs.description, ("format",), number))
    with pytest.raises(InputError, match=r"study\.json' does not describe a study: 'format'"):
        load(runs.directory)


@pytest.mark.parametrize(
    "name",
    ["..", ".", "../elsewhere", "/etc", "a/b", "a\\b", "", ".hidden", "a\nb", "~", "000-sgd "],
)
def test_no_name_in_it_leads_out_of_the_folder(runs, name):
    written(runs, put(runs.description, ("kinds", 0, "parts"), name))
    with pytest.raises(InputError, match=r"'kinds\[0\].parts' is .* expected a name"):
        load(runs.directory)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("conditions", 0, "kind"), 2),
        (("conditions", 0, "seeds"), [[0, 2**32 + 1]]),
        (("conditions", 0, "seeds"), [[5, 5]]),
        (("conditions", 0, "seeds"), [[5, 9], [0, 2]]),
        (("conditions", 0, "seeds"), [[0, 2, 4]]),
        (("conditions", 0, "epochs"), 2**31),
        (("conditions", 0, "digest"), "0" * 31),
        (("conditions", 1, "digest"), describe()["conditions"][0]["digest"]),
        (("kinds", 1, "parts"), "000-sgd"),
        (("precision",), "float16"),
    ],
)
def test_what_cannot_be_meant_is_named(runs, path, value):
    written(runs, put(runs.description, path, value))
    key = path[0] if len(path) == 1 else rf"{path[0]}\[{path[1]}\].{path[2]}"
    with pytest.raises(InputError, match=f"'{key}' is "):
        load(runs.directory)


def test_numbers_that_json_has_not_are_refused(runs):
    text = json.dumps(runs.description)
    for word in ("NaN", "Infinity", "1e999"):
        changed = text.replace('"threshold": 1.0', f'"threshold": {word}')
        assert changed != text
        (runs.directory / "study.json").write_text(changed)
        with pytest.raises(InputError, match="'threshold'"):
            load(runs.directory)


def test_a_change_that_is_still_json_is_found(runs):
    written(runs, put(runs.description, ("conditions", 0, "optimizer"), "sgd(lr=0.2)"))
    load(runs.directory)  # with a checksum that fits
    said = put(runs.description, ("conditions", 0, "optimizer"), "sgd(lr=0.2)")
    (runs.directory / "study.json").write_text(json.dumps(said))
    with pytest.raises(InputError, match="'checksum' does not fit"):
        load(runs.directory)


@pytest.mark.parametrize("changed", ['"format": 1', '"format": 2', '"fOrmat": 3'])
def test_a_changed_format_does_not_pass_for_an_earlier_one(runs, changed):
    path = runs.directory / "study.json"
    text = path.read_text()
    assert '"format": 3' in text
    path.write_text(text.replace('"format": 3', changed))
    with pytest.raises(InputError, match="'checksum' does not fit"):
        load(runs.directory)


def test_a_flipped_bit_anywhere_is_found_or_means_nothing(runs):
    path = runs.directory / "study.json"
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        if said := refusal(runs.directory):
            assert str(path) in said
        else:  # a blank between two values
            assert load(runs.directory).description == runs.description


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b'{"format": ' + b"9" * 9999]
)
def test_json_that_would_break_a_reader_is_named(runs, content):
    (runs.directory / "study.json").write_bytes(content)
    with pytest.raises(InputError, match=r"study\.json'"):
        load(runs.directory)


def test_a_link_is_not_followed(runs, tmp_path):
    path = runs.directory / "study.json"
    path.rename(tmp_path / "elsewhere.json")
    for target in (tmp_path / "elsewhere.json", "/dev/zero"):
        path.symlink_to(target)
        with pytest.raises(InputError, match="it is no regular file"):
            load(runs.directory)
        path.unlink()


def test_it_is_read_as_it_was_written(tmp_path):
    said = describe(devices=["a [b] «c»", "\x1b[2J"], versions={"ä": "1"}, threshold=0.1 + 0.2)
    runs = writing.create(tmp_path / "study", said)
    assert runs.description == json.loads(json.dumps(said)) | {
        "checksum": runs.description["checksum"]
    }
    assert load(tmp_path / "study").description == runs.description
    assert files(tmp_path / "study") == ["study.json"]


def test_what_fits_no_description_is_not_written(tmp_path):
    for wrong in ({"threshold": float("nan")}, {"kinds": None}):
        with pytest.raises(ValueError, match=r"JSON|kinds"):
            writing.create(tmp_path / "study", {**DESCRIPTION, **wrong})
    assert not (tmp_path / "study").exists()
    assert len(rows()) == 4
