"""The attention model on n bits in NumPy, for comparison: nothing here is taken from the theory."""

from itertools import product

import numpy as np

from attnlogic.theory import Form

FORMS = [
    Form(*settings, encoding)
    for settings in product((True, False), repeat=2)
    for encoding in ("01", "pm1")
]

WITH_BIAS = [form for form in FORMS if form.bias]


def form_id(form):
    return (
        f"{form.encoding}{'' if form.residual else '-no-residual'}{'' if form.bias else '-no-bias'}"
    )


def design(n, form, C):
    """The outputs on the rows for each unit vector of (w1, …, wn, b): shape (2ⁿ, n or n + 1)."""
    x = np.array(list(product((0.0, 1.0), repeat=n)))
    if form.encoding == "pm1":
        x = 2 * x - 1
    features = (C * (x**2).sum(axis=1, keepdims=True) + form.residual) * x
    return np.hstack([features, np.ones((2**n, 1))]) if form.bias else features


def least_losses(n, form, C, targets):
    """What least squares leaves of each gate's targets: (G, 2ⁿ) -> (G,)."""
    A = design(n, form, C)
    left, sizes, _ = np.linalg.svd(A, full_matrices=False)
    basis = left[:, sizes > 1e-9 * max(1, *sizes)]
    return ((targets - (targets @ basis) @ basis.T) ** 2).mean(axis=1)


ANGLES = np.linspace(-np.pi / 2, np.pi / 2, 3001)[1:-1]
"""C = tan of these covers all of C, finest around 0."""


def searched(n, form, targets, rounds=40):
    """The least loss of each gate over all C by a search: on a grid of all C, then by thirds."""
    on_grid = np.stack([least_losses(n, form, np.tan(angle), targets) for angle in ANGLES])
    least = np.empty(len(targets))
    for i, column in enumerate(on_grid.T):
        best = column.argmin()
        low, high = ANGLES[max(best - 1, 0)], ANGLES[min(best + 1, len(ANGLES) - 1)]
        for _ in range(rounds):
            inner = low + (high - low) * np.array([1, 2]) / 3
            left, right = (least_losses(n, form, np.tan(a), targets[i : i + 1])[0] for a in inner)
            low, high = (low, inner[1]) if left < right else (inner[0], high)
        least[i] = min(left, right, column[best])
    return least


def loss(packed, gate, form):
    """Of wq, wk, wv, w1, … wn and, with a bias, b, in any arithmetic."""
    wq, wk, wv, *w = packed
    b = w.pop() if form.bias else 0
    total = 0
    for bits, t in zip(product((0, 1), repeat=gate.n), gate.targets, strict=True):
        x = [2 * bit - 1 if form.encoding == "pm1" else bit for bit in bits]
        g = wq * wk * wv * sum(xi * xi for xi in x) + form.residual
        total += (g * sum(wi * xi for wi, xi in zip(w, x, strict=True)) + b - t) ** 2
    return total / len(gate.targets)


def moved(packed, steps):
    found = list(packed)
    for i, step in steps:
        found[i] += step
    return found


def gradient(at, gate, form):
    """Exactly: the output is linear in each single parameter, so the loss is quadratic in each,
    and differences of any width are its derivatives."""
    sides = [[loss(moved(at, [(i, s)]), gate, form) for s in (1, -1)] for i in range(len(at))]
    return [(up - down) / 2 for up, down in sides]


def hessian(at, gate, form):
    """Likewise."""
    n, here = len(at), loss(at, gate, form)
    H = np.zeros((n, n))
    for i in range(n):
        H[i, i] = sum(loss(moved(at, [(i, s)]), gate, form) for s in (1, -1)) - 2 * here
        for j in range(i):
            corners = [(s, t, loss(moved(at, [(i, s), (j, t)]), gate, form))
                       for s in (1, -1) for t in (1, -1)]  # fmt: skip
            H[i, j] = H[j, i] = sum(s * t * value for s, t, value in corners) / 4
    return H
