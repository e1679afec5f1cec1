"""A user's own model by its text: found, built, checked, or refused in one sentence."""

import importlib
import sys

import pytest
import torch

from attnlogic.errors import InputError
from attnlogic.problems import NO_DATA, Model, OwnLoss, OwnModule, model, models_of, problem

NETS = '''
"""Models of a user's."""
import equinox
import flax.linen
import jax
import jax.numpy as jnp
import torch

from attnlogic.problems import NO_DATA, Model, OwnLoss, OwnModule, Tensor


def quadratic(power=2):
    return Model(
        "as the factory calls it",
        "(w·x)^power",
        lambda n: (Tensor("w", (n,), tuple(f"w{i}" for i in range(n)), n),),
        lambda p, x, xp: sum(w * xi for w, xi in zip(p["w"], x)) ** power,
    )


class Factories:
    @staticmethod
    def small():
        from attnlogic.problems import model

        return model("linear")


VALUE = quadratic(3)


def parabola(at=1.0):
    return OwnLoss(lambda seed: {"w": seed / 2.0**32}, lambda p: (p["w"] - at) ** 2)


def net(width=3):
    return torch.nn.Sequential(torch.nn.Linear(2, width), torch.nn.Linear(width, 1))


class Net(torch.nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.inner = torch.nn.Linear(2, width)
        self.outer = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x)))


BUILT = Net()


def as_own_module(width=3):
    return OwnModule(lambda: Net(width), lambda module: module.inner.weight.square().sum())


class Eqx(equinox.Module):
    layers: list

    def __init__(self, width=3, *, key):
        first, second = jax.random.split(key)
        self.layers = [
            equinox.nn.Linear(2, width, key=first), equinox.nn.Linear(width, "scalar", key=second)
        ]

    def __call__(self, x):
        return self.layers[1](jnp.tanh(self.layers[0](x)))


def mlp(key, width=3):
    return equinox.nn.MLP(2, "scalar", width, 1, key=key)


class Flax(flax.linen.Module):
    width: int = 3

    @flax.linen.compact
    def __call__(self, x):
        return flax.linen.Dense(1)(jnp.tanh(flax.linen.Dense(self.width)(x)))


def built(width=3):
    return Eqx(width, key=jax.random.key(0))


def raises(width=3):
    if width > 2:
        raise ValueError(f"no width {width}\\nand a second line")


def nothing():
    pass


NUMBER = 3
'''


@pytest.fixture(scope="module", autouse=True)
def nets(tmp_path_factory):
    """A package of the user's on Python's path."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine").mkdir()
    (folder / "mine" / "__init__.py").write_text("")
    (folder / "mine" / "nets.py").write_text(NETS, encoding="utf-8")
    (folder / "mine" / "wrong.py").write_text("import no_such_package\n")
    (folder / "mine" / "script.py").write_text("import sys\nsys.exit(3)\n")
    (folder / "mine" / "broken.py").write_text("x = (\n")
    (folder / "mine" / "failing.py").write_text("def f():\n    return 1 / 0\n\n\nf()\n")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == "mine"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "kind", "framework", "size"),
    [
        ("mine.nets:quadratic", Model, None, 2),
        ("mine.nets:quadratic(power=3)", Model, None, 2),
        ("mine.nets:VALUE", Model, None, 2),
        ("mine.nets:net", OwnModule, "torch", 13),
        ("mine.nets:net(width=4)", OwnModule, "torch", 17),
        ("mine.nets:Net(width=4)", OwnModule, "torch", 17),
        ("mine.nets:Eqx(width=4)", OwnLoss, "jax", 17),
        ("mine.nets:mlp(width=2)", OwnLoss, "jax", 9),
        ("mine.nets:Flax", OwnLoss, "jax", 13),
        ("mine.nets:Flax(width=4)", OwnLoss, "jax", 17),
    ],
)
def test_whatever_stands_for_a_model_is_one(text, kind, framework, size):
    found = problem("xor", text)
    assert isinstance(found.model, kind)
    assert found.framework == framework
    assert len(found.names) == len(set(found.names)) == size
    assert found.initial([0, 1, 2**32 - 1]).shape == (size, 3)
    assert str(found) == f"xor · {text}"
    assert found.quantities([0.0] * size) == {}


@pytest.mark.parametrize("text", ["mine.nets:parabola(at=2.0)", "mine.nets:as_own_module(width=2)"])
def test_a_loss_of_its_parameters_alone_has_no_data(text):
    found = problem(None, text)
    assert str(found) == text
    assert found.data == NO_DATA
    with pytest.raises(InputError, match="no use for 'xor'"):
        problem("xor", text)


@pytest.mark.parametrize(
    "text", ["attention", "mine.nets:quadratic", "mine.nets:Flax", "mine.nets:Net"]
)
def test_a_model_of_data_needs_some(text):
    with pytest.raises(InputError, match=f"model '{text}' needs a gate or data"):
        problem(None, text)


def test_the_text_is_the_name_and_one_text_is_one_value():
    found = model(" mine.nets:quadratic( power = 3 ) ")
    assert found.name == "mine.nets:quadratic(power=3)"
    assert model("mine.nets:quadratic(power=3)") is found
    assert model(found) == found
    loss = model("mine.nets:mlp(width=2)")
    assert model("mine.nets:mlp(width=2)") is loss
    assert problem("xor", loss).kind == problem("nand", loss).kind


def test_objects_do_as_well_as_texts():
    nets = importlib.import_module("mine.nets")
    for made in (nets.Net, nets.Eqx, nets.Flax(width=4), nets.VALUE):
        assert problem("xor", made).names
    assert model(nets.Net).name == "Net"


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("mine.nothing:net", ["no module 'mine.nothing'", "install it"]),
        ("your.nets:net", ["no module 'your'", "start where it lies"]),
        ("mine.nets:netz", ["'mine.nets' has no 'netz'", "did you mean 'net'"]),
        ("mine.nets:zzz", ["has no 'zzz'"]),
        (
            "mine.wrong:net",
            [
                "importing mine.wrong raises ModuleNotFoundError",
                "no_such_package",
                "wrong.py, line 1",
            ],
        ),
        ("mine.script:net", ["importing mine.script raises SystemExit: 3", "script.py, line 2"]),
        ("mine.broken:net", ["importing mine.broken raises SyntaxError"]),
        ("mine.failing:net", ["ZeroDivisionError", "failing.py, line 2: return 1 / 0"]),
        (
            "mine.nets:raises(width=3)",
            ["raises raises ValueError: no width 3 (nets.py, line", "raise ValueError"],
        ),
        ("mine.nets:quadratic(width=3)", ["TypeError", "unexpected keyword argument 'width'"]),
        ("mine.nets:nothing", ["expected a Model, an OwnLoss", "None (NoneType)"]),
        ("mine.nets:NUMBER", ["expected a Model", "3 (int)"]),
        ("mine.nets:NUMBER(x=1)", ["3 (int)", "takes no settings"]),
        ("mine.nets:BUILT", ["got a Net that is built already", "give its class"]),
        ("mine.nets:built", ["got a Eqx that is built already", "give its class"]),
        ("mine.nets:net(3)", ["give each setting its name"]),
        ("mine.nets:net(width=3,width=4)", ["twice"]),
        ("mine.nets:net.inner", ["'net' has no 'inner'"]),
        ("mine.nets", ["what a package defines is written package.module:name"]),
        ("mine.nets:", ["not of the form"]),
        ("mine nets:net", ["not of the form"]),
        (":net", ["not of the form"]),
        ("mine.nets:net(width=3", ["not of the form"]),
        (".nets:net", ["not of the form"]),
        ("mine..nets:net", ["not of the form"]),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_that_names_the_text(text, fragments):
    with pytest.raises(InputError) as error:
        problem("xor", text)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 500
    for fragment in [f"model '{text}", *fragments]:
        assert fragment in message


def test_words_are_quoted():
    with pytest.raises(InputError, match=r"width of mine.nets:net: expected a Python literal"):
        problem("xor", "mine.nets:net(width=wide)")


def test_a_name_may_lie_in_a_class_and_settings_may_have_several_values():
    assert problem("xor", "mine.nets:Factories.small").names == problem("xor", "linear").names
    found = models_of("mine.nets:net(width=[2,3])")
    assert [str(one) for one in found] == ["mine.nets:net(width=2)", "mine.nets:net(width=3)"]


def test_torchs_generator_is_left_as_it_was():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    problem("xor", "mine.nets:Net").initial([1, 2])
    assert torch.rand(1) == expected
