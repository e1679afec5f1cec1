"""attnlogic's JAX backend: thousands of seeds at once, on CPU, GPU or TPU."""

from attnlogic_jax.backend import JAX
from attnlogic_jax.training import trainer

__all__ = ["JAX", "trainer"]
