"""Every error that the engine raises on purpose.

    NleError
    ├── ConfigError                  (ValueError)           an option out of its range
    ├── InputError                   (ValueError)           a picture, an array or a target that cannot be used
    ├── ModelError                   (RuntimeError)         a network that cannot be read or explained
    │   ├── LayerNotFoundError       (LookupError)          no such layer; names the nearest ones
    │   ├── GradientUnavailableError (NotImplementedError)  the head has an operator without a gradient here
    │   └── BackendError             (RuntimeError)         torch or ONNX Runtime failed; its error is the cause
    ├── ConceptsError                (ValueError)           a concept table that is broken or made for something else
    ├── FeaturesError                (ValueError)           features that are broken or learned on something else
    ├── VerbalizerError              (RuntimeError)         a language model that cannot be loaded or run
    │   ├── VerbalizerTimeout        (TimeoutError)         the text did not come in time
    │   ├── VerbalizerCancelled                             the caller did not want the text any more
    │   └── UnsupportedClaimError    (ValueError)           a text says what the meaning representation does not
    └── MissingExtraError            (ImportError)          an optional package is absent; names the extra

    NleWarning                       (UserWarning)          something was adjusted, e.g. `k` clipped to the neurons

Messages read "`argument` must …, got …; remedy".
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "ConceptsError",
    "ConfigError",
    "FeaturesError",
    "GradientUnavailableError",
    "InputError",
    "LayerNotFoundError",
    "MissingExtraError",
    "ModelError",
    "NleError",
    "NleWarning",
    "UnsupportedClaimError",
    "VerbalizerCancelled",
    "VerbalizerError",
    "VerbalizerTimeout",
]


class NleError(Exception):
    """Base of every error that nle_fast raises on purpose."""


class ConfigError(NleError, ValueError):
    """An option is out of its range or of the wrong type."""


class InputError(NleError, ValueError):
    """A picture, an array or a target cannot be used."""


class ModelError(NleError, RuntimeError):
    """A network cannot be read or explained."""


class LayerNotFoundError(ModelError, LookupError):
    """The network has no such layer; the message names the nearest ones."""


class GradientUnavailableError(ModelError, NotImplementedError):
    """The head contains an operator whose gradient is not available."""


class BackendError(ModelError):
    """Torch or ONNX Runtime failed; the original error is the `__cause__`."""


class ConceptsError(NleError, ValueError):
    """A concept table is broken, or was made for another network, layer or number of neurons."""


class FeaturesError(NleError, ValueError):
    """Features are broken or were learned on something else."""


class VerbalizerError(NleError, RuntimeError):
    """A language model cannot be loaded or run."""


class VerbalizerTimeout(VerbalizerError, TimeoutError):  # noqa: N818 - reads as the event it is
    """The text did not come within the time limit."""


class VerbalizerCancelled(VerbalizerError):  # noqa: N818 - reads as the event it is
    """The caller did not want the text any more; no other text takes its place."""


class UnsupportedClaimError(VerbalizerError, ValueError):
    """A text says something that the meaning representation does not, or leaves a fact out."""


class MissingExtraError(NleError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""


class NleWarning(UserWarning):
    """Something was adjusted and the result says so, e.g. `k` clipped to the number of neurons."""
