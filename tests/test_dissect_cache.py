"""One pass over the pictures: stopped, resumed, and never taken for whole when it is not."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import Colors, preprocess, scene
from PIL import Image

from nle_fast.dissect.responses import read_responses
from nle_fast.errors import InputError, ModelError
from nle_fast.preprocess import load_picture


class Counted(Colors):
    """Counts the pictures that it is shown; `stop` interrupts as a person does."""

    fingerprint = "colors"

    def __init__(self, stop=None, factor=1.0, seed=0):
        super().__init__(seed)
        self.seen, self.stop, self.factor = 0, stop, factor

    def activations(self, images):
        if self.stop is not None and self.seen + len(images) > self.stop:
            raise KeyboardInterrupt
        self.seen += len(images)
        return super().activations(images) * np.float32(self.factor)


@pytest.fixture
def paths(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(10):
        Image.fromarray(scene(n)).save(folder / f"{n}.png")
    return sorted(folder.iterdir())


def read(classifier, paths, cache, **options):
    return read_responses(classifier, preprocess(), paths, cache, batch=options.pop("batch", 4), **options)


def test_responses_are_what_the_network_says(paths, tmp_path):
    steps = []
    found = read(Counted(), paths, tmp_path / "cache", progress=lambda *step: steps.append(step))
    activations = Colors().activations(preprocess()([load_picture(path) for path in paths]))
    np.testing.assert_allclose(found.maps.astype(np.float32) * found.scale, activations, rtol=2**-10, atol=1e-5)
    np.testing.assert_allclose(found.means, activations.mean((2, 3)), rtol=1e-5)
    np.testing.assert_array_equal(found.peaks, activations.max((2, 3)))
    assert found.sizes.tolist() == [[96, 64]] * 10
    assert found.untrained.shape == (10, 2, 512)
    assert (found.untrained[:, 1] >= found.untrained[:, 0]).all()
    assert steps == [("read", 4, 10), ("read", 8, 10), ("read", 10, 10)]


def test_a_stopped_run_goes_on(paths, tmp_path):
    whole = read(Counted(), paths, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        read(Counted(stop=6), paths, tmp_path / "cache")
    rest = Counted()
    found = read(rest, paths, tmp_path / "cache")
    assert rest.seen == 6, "four pictures were read before"
    for name in ("maps", "means", "peaks", "untrained", "sizes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    again = Counted()
    read(again, paths, tmp_path / "cache")
    assert again.seen == 0


def test_what_is_not_whole_is_read_again(paths, tmp_path):
    whole = read(Counted(), paths, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    for spoil, reread in [
        (lambda: (folder / "done" / "000001").unlink(), 4),
        (lambda: (folder / "maps.npy").write_bytes(b"half"), 10),
        (lambda: (folder / "set.json").write_text("{"), 10),
        (lambda: (folder / "mean.npy").unlink(), 10),
    ]:
        spoil()
        classifier = Counted()
        np.testing.assert_array_equal(read(classifier, paths, tmp_path / "cache").maps, whole.maps)
        assert classifier.seen == reread


def test_another_question_has_another_answer(paths, tmp_path):
    read(Counted(), paths, tmp_path)
    for change in ("network", "layer", "pictures", "touched"):
        classifier, given = Counted(seed=1), paths
        classifier.fingerprint = "other" if change == "network" else "colors"
        classifier.layer = "other" if change == "layer" else "colors"
        if change == "pictures":
            given = paths[:9]
        if change == "touched":
            Image.fromarray(scene(77)).save(paths[0])
        read(classifier, given, tmp_path)
        assert classifier.seen == len(given), change
    nameless = Counted(seed=2)
    nameless.fingerprint = None
    read(nameless, paths, tmp_path)
    assert nameless.seen == 11, "told from others by what it makes of the first picture"


@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_activations_of_any_size_are_kept(paths, tmp_path, factor):
    found = read(Counted(factor=factor), paths, tmp_path)
    activations = Colors().activations(preprocess()([load_picture(path) for path in paths])) * np.float32(factor)
    np.testing.assert_allclose(
        found.maps.astype(np.float32) * found.scale, activations, rtol=2**-10, atol=1e-5 * factor
    )


def test_what_cannot_be_kept_is_refused(paths, tmp_path):
    class Growing(Counted):
        def activations(self, images):
            self.factor = 1.0 if self.seen == 0 else 1e9
            return super().activations(images)

    class Odd(Counted):
        def activations(self, images):
            found = super().activations(images)
            return found if self.seen == 4 else found[:, :, :4]

    with pytest.raises(ModelError, match="magnitude"):
        read(Growing(), paths, tmp_path / "a")
    with pytest.raises(ModelError, match="one size"):
        read(Odd(), paths, tmp_path / "b")
    with pytest.raises(ModelError, match="finite"):
        read(Counted(factor=np.nan), paths, tmp_path / "c")
    paths[5].write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"5\.png"):
        read(Counted(), paths, tmp_path / "d")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cache"):
        read(Counted(), paths, tmp_path / "file")


@pytest.mark.parametrize("name", ["maps", "mean", "untrained"])
@pytest.mark.parametrize("share", [0, 0.6])
def test_arrays_that_were_cut_off_are_read_anew(paths, tmp_path, name, share):
    whole = read(Counted(), paths, tmp_path / "cache")
    kept = {key: np.array(getattr(whole, key)) for key in ("maps", "means", "peaks", "untrained")}
    (file,) = (tmp_path / "cache").glob(f"*/{name}.npy")
    held = file.read_bytes()
    file.write_bytes(held[: int(len(held) * share)])
    again = Counted()
    found = read(again, paths, tmp_path / "cache")
    assert again.seen == 10
    for key, values in kept.items():
        np.testing.assert_array_equal(getattr(found, key), values)
