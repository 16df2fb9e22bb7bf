"""Triton kernels without a GPU: interpreted against their definitions, and compiled for sm_80 and sm_90."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

triton = pytest.importorskip("triton", reason="Triton is there on Linux only")

POINTERS = {"float32": "*fp32", "float16": "*fp16", "bfloat16": "*bf16"}
MULTIPROCESSORS = {80: 108, 90: 132}
# (N, C, H, W) and k: what real networks have, few and many pictures, one of each, odd, large maps, more neurons than
# are held at once.
SHAPES = [
    ((1, 2048, 7, 7), 5),
    ((256, 1280, 7, 7), 10),
    ((64, 4096, 8, 8), 5),
    ((1, 1, 1, 1), 1),
    ((9, 33, 5, 7), 33),
    ((1, 64, 112, 112), 3),
    ((2, 9000, 2, 2), 7),
    ((2000, 512, 14, 14), 40),
]


def test_kernels_equal_their_definitions_under_the_interpreter():
    programs = [Path(__file__).with_name(f"interpreted_{what}.py") for what in ("kernels", "look")]
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, programs)],
        env={**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        cwd=programs[0].parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout[-6000:] + child.stderr[-2000:]
    assert re.search(r"\d{2,} passed", child.stdout), child.stdout
    assert "skipped" not in child.stdout


class Variant(NamedTuple):
    dtype: str = "float32"
    constant: bool = False
    maximum: bool = False
    supporting: bool = True
    opposing: bool = False
    channels_last: bool = False
    flat: bool = True


def compiled(shape, k, capability, variant):
    """The kernel as the launcher would have it for this shape, specialised as Triton does it; and its sizes."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from nle_fast.kernels.score_neurons import constants, launch_sizes, score_neurons_kernel

    n, c, height, width = shape
    sizes = launch_sizes(
        n, c, height * width, k, MULTIPROCESSORS[capability], maximum=variant.maximum,
        neurons_first=variant.channels_last,
    )  # fmt: skip
    fixed = constants(sizes) | {
        "CONSTANT": variant.constant,
        "FLAT": variant.flat,
        "MAX": variant.maximum,
        "SUPPORTING": variant.supporting,
        "OPPOSING": variant.opposing,
    }
    strides = (
        [c * height * width, 1, width * c, c]
        if variant.channels_last
        else [c * height * width, height * width, width, 1]
    )
    if variant.flat:
        strides[2] = 0
    of_gradients = [c, 1, 0, 0] if variant.constant else strides
    integers = {"C": c, "HW": height * width, "WIDTH": width, "K": k, "SHARE": sizes.share, "SPLITS": sizes.splits}
    for letter, found in (("a", strides), ("g", of_gradients)):
        integers |= zip((f"s{letter}_{axis}" for axis in ("picture", "neuron", "row", "column")), found, strict=True)
    special = {name: value for name, value in integers.items() if name not in ("K", "SPLITS")}  # as the kernel says
    fixed |= {name: 1 for name, value in special.items() if value == 1}
    pointers = {"p_activations": POINTERS[variant.dtype], "p_gradients": POINTERS[variant.dtype], "p_keys": "*i64"}
    pointers |= dict.fromkeys(("p_neurons", "p_bad", "p_arrived"), "*i32")
    signature, attributes = {}, {}
    for index, name in enumerate(score_neurons_kernel.arg_names):
        signature[name] = "constexpr" if name in fixed else "i32" if name in integers else pointers.get(name, "*fp32")
        if signature[name].startswith("*") or special.get(name, 1) % 16 == 0:
            attributes[(index,)] = [["tt.divisibility", 16]]
    kernel = triton.compile(
        ASTSource(score_neurons_kernel, signature, constexprs=fixed, attrs=attributes),
        target=GPUTarget("cuda", capability, 32),
        options={"num_warps": sizes.num_warps, "maxnreg": sizes.max_registers, "enable_fp_fusion": False},
    )
    return kernel, sizes


def assembler_report(ptx, folder):
    """What `ptxas -v` says about the PTX, from the first assembler in Triton's package that knows its version."""
    source = folder / "kernel.ptx"
    source.write_text(ptx)
    architecture = re.search(r"\.target (\w+)", ptx).group(1)
    assemblers = sorted((Path(triton.__file__).parent / "backends/nvidia/bin").glob("ptxas*"))
    reports = []
    # Triton 3.9 asks for this register allocator, because the default one of ptxas 13 spills with registers to spare.
    for assembler, allocator in itertools.product(assemblers, (["--regAllocOptLevel=2"], [])):
        command = [assembler, "-v", "--fmad=false", *allocator, f"--gpu-name={architecture}", source]
        run = subprocess.run([*command, "-o", folder / "kernel.cubin"], capture_output=True, text=True, check=False)
        if run.returncode == 0:
            return run.stdout + run.stderr
        reports.append(run.stdout + run.stderr)
    raise AssertionError(f"no assembler in Triton's package takes the PTX: {reports}")


def spills(kernel, folder):
    """Bytes of stack frame, spill stores and spill loads, by the assembler; and the stack of the compiled object."""
    report = assembler_report(kernel.asm["ptx"], folder)
    pattern = r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads"
    assembled = [int(number) for number in re.search(pattern, report).groups()]
    cubin = folder / "triton.cubin"
    cubin.write_bytes(kernel.asm["cubin"])
    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    usage = subprocess.run([tool, "-res-usage", cubin], capture_output=True, text=True, check=True).stdout
    return [*assembled, int(re.search(r"score_neurons_kernel.*?STACK:(\d+)", usage, re.DOTALL).group(1))]


compiles = pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="TRITON_INTERPRET=1 compiles nothing")


@compiles
@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize(("shape", "k"), SHAPES, ids=str)
def test_compiles_without_spills(shape, k, capability, tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    variants = (
        Variant(),
        Variant(channels_last=True, maximum=True, opposing=True),
        Variant("float16", constant=True),
        Variant("bfloat16", maximum=True, supporting=False, opposing=True),
        Variant("float16", flat=False, opposing=True),
    )
    # The one that needs the most registers, and for one of the chips in turn one of the others.
    number = SHAPES.index((shape, k))
    others = [variants[number % len(variants)]] if number % 2 == (capability == 90) else []
    for variant in (Variant(maximum=True, opposing=True), *others):
        kernel, sizes = compiled(shape, k, capability, variant)
        assert spills(kernel, tmp_path) == [0, 0, 0, 0], variant
        # As many programs as `launch_sizes` counts on fit a multiprocessor of sm_80, and none asks for more than 48 KB.
        assert kernel.metadata.shared * 16 // sizes.num_warps <= 164 * 1024
        assert kernel.metadata.shared <= 48 * 1024


@compiles
def test_spills_would_be_seen(tmp_path, monkeypatch):
    # The same kernel with a tile twice as large: the check above is able to fail.
    from nle_fast.kernels import sizes

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setitem(sizes.VALUES, "max", 16)
    kernel, _ = compiled((64, 2048, 7, 7), 5, 90, Variant(maximum=True, opposing=True))
    assert min(spills(kernel, tmp_path)) > 0


@compiles
def test_the_count_of_programs_is_published_and_acquired(tmp_path, monkeypatch):
    """What the interpreter cannot show, because it runs one program after the other."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    code = compiled((64, 2048, 7, 7), 5, 90, Variant())[0].asm["ptx"]
    lines = [line.strip() for line in code.splitlines() if line.strip() and not line.strip().startswith((".loc", "//"))]
    (atomic,) = (i for i, line in enumerate(lines) if "atom." in line)
    assert "atom.global.gpu.acq_rel.add.u32" in lines[atomic], "release and acquire, beyond the multiprocessor"
    writes = max(i for i, line in enumerate(lines[:atomic]) if "st.global" in line)
    assert any(line.startswith("bar.sync") for line in lines[writes:atomic]), "all threads wrote before one counts"
    reads = min(i for i, line in enumerate(lines) if "ld.global.cg" in line)
    assert reads > atomic, "scratch is read after the count, past the cache that is not coherent"
    assert any(line.startswith("bar.sync") for line in lines[atomic:reads]), "all threads wait for the one that counts"


SIZES = [(1, 2048, 49), (64, 2048, 49), (256, 2048, 49), (4096, 2048, 49), (1, 1, 1), (3, 37, 12544), (7, 20000, 4)]


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("neurons_first", [False, True])
@pytest.mark.parametrize("maximum", [False, True])
def test_sizes_cover_each_neuron_once(shape, neurons_first, maximum):
    from nle_fast.kernels.sizes import HELD, WARPS, WAVES, launch_sizes

    pictures, neurons, _ = shape
    sizes = launch_sizes(*shape, 5, 132, maximum=maximum, neurons_first=neurons_first)
    assert (sizes.splits - 1) * sizes.share < neurons <= sizes.splits * sizes.share
    assert sizes.share == neurons or sizes.share % sizes.block_neurons == 0
    for block in (sizes.block_neurons, sizes.block_positions, sizes.block_select, sizes.block_merge):
        assert block & (block - 1) == 0
    assert sizes.block_select >= (sizes.share if sizes.blockwise else neurons)
    assert max(sizes.block_select, sizes.block_merge) <= HELD
    full = 132 * (WARPS // sizes.num_warps) * WAVES
    if not sizes.blockwise:
        assert pictures * sizes.splits <= max(full, pictures)
    if pictures >= full and not sizes.blockwise:
        assert sizes.splits == 1, "pictures alone fill the GPU"


def test_few_pictures_use_the_whole_gpu():
    from nle_fast.kernels.sizes import launch_sizes

    for neurons in (512, 1280, 2048):
        sizes = launch_sizes(1, neurons, 49, 5, 132)
        assert sizes.splits >= min(132, neurons // 4)


def test_a_launch_moves_its_inputs_once_and_little_else():
    from nle_fast.kernels.sizes import Layout, launch_bytes, launch_sizes

    for size, constant, most in ((4, False, 1.04), (2, False, 1.08), (4, True, 1.08), (2, True, 1.16)):
        moved = launch_bytes(
            Layout(64, 5, 7, 7), launch_sizes(64, 2048, 49, 5, 132), 2048, size, size,
            constant=constant, maximum=False, supporting=True, opposing=False,
        )  # fmt: skip
        assert moved.inputs == 64 * 2048 * size * (49 + (1 if constant else 49))
        assert sum(moved) <= most * moved.inputs
