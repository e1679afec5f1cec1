'''The contract between a study and what trains its runs, and how to write a backend of your own.

``Training`` is one condition and ``Batch`` runs to be trained; ``Backend`` says what a backend does
with them; ``backend`` finds one by its name. Nothing here trains, or knows a framework.

# A backend of your own

A backend is an object with the attributes and methods of ``Backend``, in a package of your own that
registers it in its ``pyproject.toml``:

```toml
[project.entry-points."attnlogic.backends"]
descent = "your_package:DESCENT"
```

From then on ``attnlogic backends`` lists it, and ``--backend descent`` trains with it. The object
is imported when it is first used.

**What it is given.** A ``Batch`` has N runs. ``initial`` is where they start: packed parameters,
float32 (P, N), a row for each scalar in the order of ``problem.names``; they belong to the caller,
so copy them before you train in place. ``trainings`` are the conditions, and ``which`` (N,) tells
the condition of each run, in any order. All conditions of a batch are of one ``Training.kind``: the
same model, inputs, optimizer, budget, threshold, precision and ``until``; only the targets
(``problem.data.targets``) and the optimizer's real numbers, such as the learning rate, may differ.
Code can so be compiled once for a kind and take these as arrays.

**What it computes.** A model is arithmetic: ``problem.predict(packed, x, xp)`` runs on any arrays,
``mean_squared_error`` makes the loss of its outputs. An epoch takes the loss, then updates. All of
it is computed in ``training.precision``, and the threshold is rounded to it.

**What must come back.** ``train`` gives runs as soon as they are done, in any order, each of the N
one time: ``Finished(first, outcome)`` has the place in the batch of the first of n consecutive runs
(n may be 1), and their ``Outcome``, of NumPy arrays. Their dtypes are those that
``outcomes.NUMBERS`` declares: parameters and losses have the training's precision.
``history.outcome`` defines them all.
A backend that keeps each run's losses calls it, as the one below does; a faster one folds the
numbers as it trains. Four things are easily forgotten:

- *Diverging*: the first loss that is not finite ends the run. Its losses count as infinite, and its
  final parameters, quantities and gradient norm are NaN.
- *until="hit"* ends a run with its first loss at or below the threshold, before that update.
- *evaluations* counts evaluations of loss and gradient: one an epoch, or more (L-BFGS).
- *ladder* has the first hit of each loss in ``outcomes.LADDER``, whatever the threshold.

**Determinism.** A run has the same bits whenever it is trained, and whichever runs share its batch:
a study can then be cut into pieces. Its history has the same losses, up to rounding.

**Refusing.** ``check`` raises an ``InputError`` for what the backend cannot do, such as an
optimizer that it lacks, and does no work. ``train`` and ``history`` raise the same when they are
called, not when they are advanced: a generator function checks too late, so let a plain function
call it.

**Progress and interrupts.** ``on_progress`` is called now and then, from one thread at a time, with
the number of runs done since the last call, which may be a fraction; the sum is N, also where runs
end early. Let every exception pass, ``KeyboardInterrupt`` above all. When the iterator is closed or
raises, the work ends, and no thread or process goes on. What a study has been given by then is
kept, so give runs as they are done, every few seconds where that is possible.

Work in threads or processes needs two things more. Where the main thread waits for them, let it
wait with a timeout: else it may hear of Ctrl-C only when they are done (polars sets a handler after
which Python's locks wait on). And when a ``KeyboardInterrupt`` reaches the generator, which may be
at a ``yield``, let it give the runs that others have finished meanwhile before it raises it again.

**Points.** A method ``train_points`` besides trains runs that each have settings of the optimizer
for themselves, as a map needs them: see ``PointBackend``. A backend without one draws no maps.

**More, if you like.** With ``on(device)``, which returns the backend for another device,
``attnlogic study --device`` chooses one; and ``default_jobs`` is its number of processes when none
is asked for. ``prepare(batch)`` returns a function that makes ready what training the batch takes,
such as its compiled code, whatever its runs start at; a study calls that function in another thread
while it trains other runs. It changes no run, and its errors are dropped: ``train`` raises them.

# A whole backend

This one is slow and complete. It trains by gradient descent, and takes its gradients from the
model's own arithmetic by the complex step: f(p + ih) = f(p) + ih f'(p) for a tiny h.

    >>> import numpy as np
    >>> from attnlogic.backend import Finished, Training, check_framework, checked
    >>> from attnlogic.errors import InputError
    >>> from attnlogic.history import History, join, outcome
    >>> from attnlogic.optimizers import optimizer, structure
    >>> from attnlogic.outcomes import NONE, concatenate
    >>> from attnlogic.problems import mean_squared_error
    >>> PART_EPOCHS = 1000
    >>> def evaluate(problem, packed):
    ...     """The loss, and its gradient (P,), at packed parameters (P,)."""
    ...     h = 1e-20
    ...     moved = packed[:, None] + 1j * h * np.eye(len(packed), dtype=packed.dtype)
    ...     outputs = [problem.predict(moved, x, np) for x in problem.data.inputs]
    ...     values = mean_squared_error(outputs, problem.data.targets)
    ...     return values[0].real, values.imag / packed.dtype.type(h)
    >>> def descend(training, initial, on_progress):
    ...     problem, dtype = training.problem, np.dtype(training.precision)
    ...     start = packed = initial.astype(dtype)
    ...     lr = dtype.type(training.optimizer.settings["lr"])
    ...     goal = dtype.type(training.threshold if training.until == "hit" else -1)
    ...     done, ended = 0, False
    ...     while not ended:
    ...         losses, path = [], []
    ...         with np.errstate(all="ignore"):  # a run may diverge
    ...             while not ended and len(losses) < PART_EPOCHS:
    ...                 loss, gradient = evaluate(problem, packed)
    ...                 losses.append(loss)
    ...                 path.append(packed)
    ...                 if not np.isfinite(loss) or loss <= goal:
    ...                     ended = True
    ...                 else:
    ...                     packed = packed - lr * gradient
    ...                     ended = done + len(losses) == training.epochs
    ...             norm = np.linalg.norm(evaluate(problem, packed)[1])
    ...             quantities = problem.quantities(np.transpose(path))
    ...         if on_progress is not None:
    ...             share = (training.epochs - done if ended else len(losses)) / training.epochs
    ...             on_progress(share)
    ...         done += len(losses)
    ...         ones = np.ones(len(losses), np.int32)
    ...         yield History(np.array(losses), quantities, start, packed, NONE, ones, norm)
    >>> class Descent:
    ...     name = "descent"
    ...     def devices(self):
    ...         return ["cpu"]
    ...     def versions(self):
    ...         return {"numpy": np.__version__}
    ...     def default_seeds(self, training):
    ...         return 1
    ...     def check(self, training, jobs):
    ...         done = checked(training)
    ...         check_framework(done, self.name)
    ...         if structure(done.optimizer) != structure(optimizer("sgd")):
    ...             raise InputError(f"the descent backend has sgd(lr=…), got {done.optimizer}")
    ...         if jobs != 1:
    ...             raise InputError(f"the descent backend is one process, got --jobs {jobs}")
    ...     def train(self, batch, *, jobs=1, on_progress=None):
    ...         for training in batch.trainings:
    ...             self.check(training, jobs)
    ...         return self.outcomes(batch, on_progress)
    ...     def outcomes(self, batch, on_progress):
    ...         for place, initial in enumerate(batch.initial.T):
    ...             training = batch.trainings[batch.which[place]]
    ...             run = join([*descend(training, initial, on_progress)])
    ...             one = outcome(run, training.threshold, training.problem)
    ...             yield Finished(place, concatenate([one]))
    ...     def history(self, training, initial, *, on_progress=None):
    ...         self.check(training, 1)
    ...         return descend(training, initial, on_progress)
    >>> DESCENT = Descent()

It is a backend, and can train a study:

    >>> from attnlogic.backend import backend, in_order, one_condition
    >>> from attnlogic.problems import problem
    >>> training = Training(problem("xor"), optimizer("sgd(lr=0.1)"), epochs=200, threshold=0.2)
    >>> batch = one_condition(training, training.problem.initial(range(4)))
    >>> in_order(backend(DESCENT).train(batch))
    Outcome(4 runs: 1 solved, 3 unsolved)

# Testing it

``attnlogic.testing.BackendContract`` is a suite of tests of all this, for pytest in your own
repository.
'''

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
