"""One run of Adam on a sparse code, step by step; what a step depends on can be kept and taken up again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import InputError, ModelError
from nle_fast.features.heads import Head
from nle_fast.features.options import LearnOptions
from nle_fast.features.products import fast_precision, times
from nle_fast.features.sight import Sight

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Batches", "Learned", "Run", "sparse"]

Floats = NDArray[np.float32]
#: Crops (their numbers) → coordinates (crops, positions, d).
Batches = Callable[[NDArray[np.int64]], Floats]

#: Steps in which Adam's step length rises.
RISE = 100


@dataclass
class Learned:
    """What a run of Adam gives, in the layer's channels.

    Attributes:
        decoder, encoder: (K, C); decoder rows have length 1.
        bias: (K,).
        kept: (K,) rows of the start that these were: all but those that did not fire in the last two passes.
        moved: (K,) bool, was it begun again elsewhere?
        restarted: Times that a feature did not fire for two passes and was begun again, over the whole run.
        dead: Features that did not fire in the last two passes, and are left out.
        seconds: Wall clock of all steps.
        losses: The loss at a hundred steps at most, and at the last.
        precision: Of the products: "bfloat16" where the processor multiplies it fast, else "float32".
    """

    decoder: Floats
    encoder: Floats
    bias: Floats
    kept: NDArray[np.int64]
    moved: NDArray[np.bool_]
    restarted: int
    dead: int
    seconds: float
    losses: list[float]
    precision: str


def sparse(projections: Tensor, active: int) -> Tensor:
    """Codes: of each position's projections (…, K) the `active` largest that are above zero, else zero."""
    import torch

    positive = projections.relu()
    if active >= positive.shape[-1]:
        return positive
    largest, place = positive.topk(active, -1)
    return torch.zeros_like(positive).scatter(-1, place, largest)


def _mixture(size: int) -> Tensor:
    """(size, size) orthogonal, in which rows are kept for Adam, whose steps are of one size per entry.

    So they go where the activations vary. In the sharp coordinates of `sight` they would go as far where hardly
    anything varies, and what is learned there does not recur.
    """
    import torch

    drawn = torch.randn(size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turn: Tensor = torch.linalg.qr(drawn)[0].float()
    return turn


class Run:
    """The state of a run; see `train`."""

    def __init__(
        self,
        start: Floats,
        batches: Batches,
        crops: int,
        head: Head,
        sight: Sight,
        options: LearnOptions,
        device: Any,
    ) -> None:
        import torch

        self._batches, self._crops, self._head, self._options, self._device = batches, crops, head, options, device
        self._sight, self._precision = sight, fast_precision(device)
        self._plain = torch.from_numpy(sight.plain).to(device)
        self._size = min(options.batch, crops)
        self._pass = max(1, crops // self._size)  # steps
        self.step, self._restarted, self._seconds = 0, 0, 0.0
        self._losses: list[float] = []
        self._start = torch.from_numpy(sight.unit(start @ sight.read)).to(device)
        self._first = self._start.clone()
        self._quiet = torch.zeros(len(start), dtype=torch.int64, device=device)  # steps since it last fired
        encoder = torch.from_numpy(start @ sight.show).to(device)
        self._turn = _mixture(encoder.shape[1]).to(device)
        self._decoder = (self._start @ self._turn.T).requires_grad_()
        self._reach = self._factor(encoder)
        self._first_encoder = encoder * self._reach
        self._encoder = (self._first_encoder @ self._turn.T).requires_grad_()
        self._bias = torch.zeros(len(start), device=device, requires_grad=True)
        # A step moves a row by the same share of its length as one of length 1 in C channels.
        self._rates = [
            factor * options.rate * float(rows.detach().square().mean().sqrt()) * math.sqrt(start.shape[1])
            for rows, factor in ((self._decoder, 1), (self._encoder, options.encoder))
        ] + [options.rate]
        groups = [{"params": [p]} for p in (self._decoder, self._encoder, self._bias)]
        self._adam = torch.optim.Adam(groups, options.rate)

    def _factor(self, encoder: Tensor) -> float:
        """The factor on the first encoder with which its codes reconstruct a batch best, in both measures."""
        import torch

        x = torch.from_numpy(self._batches(np.arange(0, self._crops, max(1, self._crops // 48))[:48])).to(self._device)
        told = sparse(x @ encoder.T, self._options.active) @ self._start
        seen = torch.from_numpy(self._sight.seen).to(self._device)
        weight = self._plain * (self._options.reconstruction + 1e-3) / (x.square() @ self._plain).sum().clamp(min=1e-12)
        weight = weight + seen * (self._options.position / (x.square() @ seen).sum().clamp(min=1e-12))
        fits, own = float((x * told).sum((0, 1)) @ weight), float(told.square().sum((0, 1)) @ weight)
        return fits / own if fits > 0 and own > 0 else 1.0

    def advance(self) -> None:
        """One step of Adam."""
        import torch

        began, options, step = time.perf_counter(), self._options, self.step
        for group, rate in zip(self._adam.param_groups, self._rates, strict=True):
            group["lr"] = rate * (1 - step / options.steps) * min(1, (step + 1) / RISE)
        x = torch.from_numpy(self._batches(self._chosen())).to(self._device)
        atoms = self._unit(self._decoder @ self._turn)
        codes = sparse(times(x, (self._encoder @ self._turn).T, self._precision) + self._bias, options.active)
        rest = x - times(codes, atoms, self._precision)
        seen = self._head.terms(x, rest, codes, atoms)
        whole = (x.square() @ self._plain).sum().clamp(min=1e-12)
        loss = (
            options.reconstruction * (rest.square() @ self._plain).sum() / whole
            + options.position * seen.position
            + options.pooled * seen.pooled
            + options.divergence * seen.divergence
            + options.five * seen.five
            + options.anchor * (1 - (atoms * self._start) @ self._plain).mean()
        )
        if not bool(loss.isfinite()):
            raise ModelError(
                f"`rate` must let the loss stay finite, got {float(loss.detach())} at step {step}; use a smaller one."
            )
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._adam.step()
        with torch.no_grad():
            fired = (codes > 0).flatten(0, -2).any(0)
            self._quiet = torch.where(fired, 0, self._quiet + 1)
            dead = self._quiet >= 2 * self._pass
            if bool(dead.any()) and step < options.steps - self._pass:
                self._restart(dead.nonzero()[:, 0], rest.detach().flatten(0, -2))
        if step % max(1, options.steps // 100) == 0 or step == options.steps - 1:
            self._losses.append(float(loss.detach()))
        self.step += 1
        self._seconds += time.perf_counter() - began

    def _unit(self, rows: Tensor) -> Tensor:
        """Rows whose directions in the layer have length 1."""
        return rows / (rows.square() @ self._plain).clamp(min=1e-24).sqrt()[:, None]

    def _chosen(self) -> NDArray[np.int64]:
        """The crops of this step: each pass deals all of them, in an order of its own."""
        turn, place = divmod(self.step, self._pass)
        order = np.random.default_rng([self._options.seed, turn]).permutation(self._crops)
        return order[place * self._size : (place + 1) * self._size]

    def _restart(self, dead: Tensor, rests: Tensor) -> None:
        """Begin features again: those of a tree where they began, others where this step explains worst."""
        if self._options.again == "start":
            atoms, encoder = self._first[dead], self._first_encoder[dead]
        else:
            worst = (rests.square() @ self._plain).topk(min(len(dead), len(rests))).indices
            dead = dead[: len(worst)]
            atoms = self._unit(rests[worst])
            encoder = atoms * self._plain * self._reach
        self._start[dead] = atoms
        self._decoder.data[dead] = atoms @ self._turn.T
        self._encoder.data[dead] = encoder @ self._turn.T
        self._bias.data[dead] = 0
        for parameter in (self._decoder, self._encoder, self._bias):
            for moment in ("exp_avg", "exp_avg_sq"):
                self._adam.state[parameter][moment][dead] = 0
        self._quiet[dead] = 0
        self._restarted += len(dead)

    def keep(self, mark: Path) -> None:
        """Write all that the next step depends on, whole or not at all."""
        import torch

        state = {
            "step": self.step,
            "start": self._start,
            "parameters": [self._decoder.detach(), self._encoder.detach(), self._bias.detach()],
            "adam": self._adam.state_dict(),
            "quiet": self._quiet,
            "restarted": self._restarted,
            "seconds": self._seconds,
            "losses": self._losses,
        }
        draft = mark.with_name(f"{mark.name}.draft")
        try:
            torch.save(state, draft)
            draft.replace(mark)
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"`cache` must be a writable folder, got '{mark.parent}' ({error}); choose another."
            ) from error

    def resume(self, mark: Path) -> None:
        """Take up a mark; one that is missing, broken or of another shape is as none."""
        import torch

        try:
            state = torch.load(mark, map_location=self._device, weights_only=True)
            fits = state["start"].shape == self._start.shape and 0 <= state["step"] <= self._options.steps
        except Exception:  # whatever reading a torn file trips over
            return
        if not fits:
            return
        with torch.no_grad():
            for parameter, values in zip((self._decoder, self._encoder, self._bias), state["parameters"], strict=True):
                parameter.copy_(values)
        self._adam.load_state_dict(state["adam"])
        self.step, self._start, self._quiet = state["step"], state["start"], state["quiet"]
        self._restarted, self._seconds, self._losses = state["restarted"], state["seconds"], state["losses"]

    def result(self) -> Learned:
        """The dictionary as it is now."""
        from nle_fast.features.tree import unit_rows

        show, read = self._sight.show, self._sight.read
        turned = (self._decoder @ self._turn, self._encoder @ self._turn, self._bias)
        decoder, encoder, bias = (part.detach().cpu().numpy() for part in turned)
        alive = (self._quiet < 2 * self._pass).cpu().numpy()
        alive = np.ones_like(alive) if not alive.any() else alive
        moved = (self._start != self._first).any(1).cpu().numpy()
        return Learned(
            unit_rows(decoder @ show.T)[alive],
            (encoder @ read.T).astype(np.float32)[alive],
            bias[alive],
            np.flatnonzero(alive),
            moved[alive],
            self._restarted,
            int((~alive).sum()),
            self._seconds,
            self._losses,
            str(self._precision).removeprefix("torch."),
        )
