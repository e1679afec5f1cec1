"""The rooms of the house: which of them may import which, and that every arrow points one way."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

GROUND = {
    "errors", "ranges", "grammar", "settings", "sweeps", "precision", "version", "words",
    "outside",
}  # fmt: skip
CONTRACT = {"outcomes", "history", "backend"}
TRAINED = GROUND | {"problems", "optimizers"}

MAY_IMPORT = {
    "errors": set(),
    "words": set(),
    "version": set(),
    "ranges": {"errors"},
    "grammar": {"errors", "ranges"},
    "settings": {"errors", "grammar"},
    "sweeps": {"errors", "ranges", "grammar", "settings"},
    "precision": {"errors", "settings"},
    "outside": {"errors"},
    "problems": GROUND,
    "optimizers": GROUND,
    "theory": TRAINED,
    "outcomes": TRAINED,
    "history": TRAINED | {"outcomes"},
    "backend": TRAINED | {"outcomes", "history"},
    "testing": TRAINED | CONTRACT,  # for who writes a backend: nobody here imports it
    "results": TRAINED | CONTRACT | {"theory"},
    "studies": TRAINED | CONTRACT | {"theory", "results"},
    "view": TRAINED | CONTRACT | {"theory", "results", "studies"},
    "statistics": TRAINED | CONTRACT | {"theory", "results", "view"},
    "report": TRAINED | CONTRACT | {"theory", "results", "studies", "view", "statistics"},
    "cli": TRAINED | CONTRACT | {"theory", "results", "studies", "view", "statistics", "report"},
    "__main__": {"cli"},
    "examples": {"results", "studies", "statistics", "view"},  # and the package's front door
    "attnlogic_jax": TRAINED | CONTRACT,
    "attnlogic_torch": TRAINED | CONTRACT,
}
"""For each room (a folder, or a file that stands alone) the rooms that it may import."""

INSIDE = {
    "results": {
        "rows": set(),
        "store": {"rows"},
        "counts": {"rows", "store"},
        "choosing": {"rows", "store", "counts"},
    },
}
"""For each room that has rooms in it those of them that each of these may import."""


WHOLE_PACKAGE = {("", "examples"), ("", "results")}
"""Rooms that may come in by the front door: runs show themselves to a notebook by their summary."""


def files():
    """Every source file of the package and the backends, with the room that it lies in."""
    for top in (ROOT / "attnlogic", *(ROOT / "backends").glob("attnlogic_*")):
        for path in sorted([*top.rglob("*.py"), *top.rglob("*.pyi")]):
            inside = path.relative_to(top).parts
            room = top.name if top.name != "attnlogic" else inside[0].split(".")[0]
            yield path, room


def folders(path):
    """The folders of the package in which a file lies, from the outermost to the innermost."""
    package = ROOT / "attnlogic"
    return path.relative_to(package).parts[:-1] if path.is_relative_to(package) else ()


def imports(source):
    """The modules that a source imports, wherever in it: functions and type checking included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows(source, room):
    """The other rooms that a source in this room imports; ``""`` for the whole package."""
    for module in imports(source):
        first, *rest = module.split(".")
        if first == "attnlogic":
            there = rest[0] if rest else ""
            if there != room:
                yield there
        elif first.startswith("attnlogic_") and first != room:
            yield first


def arrows_inside(source, room, inner):
    """What a source in a room inside of a room imports of the latter, but for its own room."""
    for module in imports(source):
        package, *rest = module.split(".")
        if package == "attnlogic" and rest[:1] == [room] and rest[1:2] != [inner]:
            yield ".".join(rest[1:2])


def test_every_import_goes_to_a_room_that_lies_below():
    wrong = [
        f"{path.relative_to(ROOT)} imports {there or 'the whole package'}"
        for path, room in files()
        if room != "__init__"  # the front door: its names are looked up when they are used
        for there in arrows(path.read_text(encoding="utf-8"), room)
        if there not in MAY_IMPORT[room] and (there, room) not in WHOLE_PACKAGE
    ]
    assert not wrong


def test_every_import_inside_of_a_room_goes_to_a_room_that_lies_below():
    """The room's own door is none: what it exports comes from all of them."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {there or room}"
        for path, room in files()
        for inner in folders(path)[1:2]
        for there in arrows_inside(path.read_text(encoding="utf-8"), room, inner)
        if there not in INSIDE[room][inner]
    ]
    assert not wrong


def test_a_room_with_rooms_in_it_has_nothing_beside_them():
    """A file there would lie in none of its layers."""
    for room, inside in INSIDE.items():
        folder = ROOT / "attnlogic" / room
        there = {path.relative_to(folder).parts[0] for path, at in files() if at == room}
        assert there == {"__init__.py", "__init__.pyi", *inside}


@pytest.mark.parametrize("rooms", [MAY_IMPORT, *INSIDE.values()])
def test_there_is_no_circle_of_rooms(rooms):
    order, left = [], {room: set(below) for room, below in rooms.items()}
    while left:
        free = {room for room, below in left.items() if below <= set(order)}
        assert free, f"a circle among {sorted(left)}"
        order += sorted(free)
        left = {room: below for room, below in left.items() if room not in free}


@pytest.mark.parametrize(
    "source",
    [
        "from attnlogic.studies import Study",
        "import attnlogic.studies.study",
        "from attnlogic import studies",
        "def f():\n    from attnlogic.studies import Study",
        "if TYPE_CHECKING:\n    from attnlogic.studies import Study",
    ],
)
def test_an_arrow_is_seen_however_it_is_written(source):
    assert list(arrows(source, "statistics")) == ["studies"]


@pytest.mark.parametrize(
    ("source", "there"),
    [
        ("from attnlogic.results.store import Runs", ["store"]),
        ("from attnlogic.results import store", ["store"]),
        ("def f():\n    import attnlogic.results.store.runs", ["store"]),
        ("from attnlogic.results import load", ["load"]),
        ("import attnlogic.results", [""]),
        ("from attnlogic.results.rows import schema", []),
        ("from attnlogic.problems import gate", []),
    ],
)
def test_an_arrow_inside_of_a_room_is_seen_however_it_is_written(source, there):
    assert list(arrows_inside(source, "results", "rows")) == there


def test_a_room_is_entered_by_its_door():
    """Other rooms import what a room's ``__init__`` exports, or a whole module of it."""
    inside = [
        f"{path.relative_to(ROOT)} imports from {node.module}"
        for path, _ in files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module
        if passes_a_door(node.module, folders(path))
    ]
    assert not inside


def passes_a_door(module, here):
    """Whether a module lies in a folder that is none of those in which a file lies."""
    package, *there = module.split(".")
    folder = there[:-1]
    return package == "attnlogic" and folder != [*here[: len(folder)]]


@pytest.mark.parametrize(
    ("module", "here", "passes"),
    [
        ("attnlogic.results", ("studies",), False),
        ("attnlogic.results.rows", ("studies",), True),
        ("attnlogic.problems.gates", ("problems",), False),
        ("attnlogic.problems.gates", (), True),
        ("attnlogic.results.rows", ("results", "store"), False),
        ("attnlogic.results.rows.known", ("results", "store"), True),
        ("attnlogic.results.rows.known", ("results", "rows"), False),
    ],
)
def test_whether_a_door_is_passed(module, here, passes):
    assert passes_a_door(module, here) == passes


def test_no_room_exports_a_name_that_one_of_its_files_has():
    """Else what the name means would depend on what was imported first."""
    for door in (ROOT / "attnlogic").rglob("__init__.pyi"):
        names = {name for name, file in exported(door) if file}
        stems = {path.stem for path in door.parent.iterdir()} - {"__init__"}
        assert not names & stems, door.parent.name


def exported(door):
    """What a stub exports: each name, and the file or room that it is from; None for a file."""
    for node in ast.walk(ast.parse(door.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, node.module) for alias in node.names)


@pytest.mark.parametrize("front", ["", *INSIDE])
def test_a_door_before_others_has_only_what_they_export(front):
    """Else a name would be there once something else has loaded the room's file, not before."""
    front = ROOT / "attnlogic" / front
    for name, room in exported(front / "__init__.pyi"):
        if room is not None and (front / room).is_dir():
            door = front / room / "__init__.pyi"
            listed = (
                {*dict(exported(door))} if door.exists() else door.with_suffix(".py").read_text()
            )
            assert name in listed, f"{room} exports no {name}"


def test_every_room_says_what_lives_there():
    for door in (ROOT / "attnlogic").rglob("__init__.py"):
        text = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8"))) or ""
        assert len(text.split()) > 20, door.parent.name
