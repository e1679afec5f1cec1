"""Outcomes as text: one line, whatever their leaves are."""

from stored import NAN, one

from attnlogic.outcomes import concatenate, mapped


def test_an_outcomes_text_is_one_line_whatever_its_leaves():
    solved = one([4, 0.5, 0.25])
    assert repr(solved) == "Outcome(solved: first_hit=1, final_loss=0.25, C=-0.25)"
    assert repr(one([4, NAN])) == ("Outcome(diverged: first_hit=-1, final_loss=inf, C=nan)")
    some = concatenate([solved] * 1200 + [one([0.5, 2])])
    assert repr(some) == "Outcome(1,201 runs: 1,200 solved, 1 lost)"
    assert repr(concatenate([solved])) == "Outcome(1 run: 1 solved)"
    assert repr(mapped(lambda leaf: leaf[..., :0], some)) == "Outcome(0 runs)"
    square = mapped(lambda leaf: leaf[..., :6].reshape(*leaf.shape[:-1], 2, 3), some)
    assert repr(square) == "Outcome(6 runs: 6 solved)"


def test_leaves_without_values_have_a_text_too():
    """As in a pytree of JAX's: tracers while a function is traced, specifications, None."""
    import jax

    some = concatenate([one([4, 0.5])] * 3)
    texts = []
    jax.jit(lambda runs: texts.append(repr(runs)))(some)
    odd = (None, "x", jax.sharding.PartitionSpec("seeds"), object())
    texts += [repr(mapped(lambda _, leaf=leaf: leaf, some)) for leaf in odd]
    assert [text.partition("(")[0] for text in texts] == ["Outcome"] * 5
    assert max(map(len, texts)) < 60
    on_device = jax.tree.map(jax.numpy.asarray, some)
    assert repr(on_device) == "Outcome(3 runs: 3 solved)"
    assert repr(jax.tree.map(lambda leaf: leaf[..., 0], on_device)).startswith(
        "Outcome(solved: first_"
    )
