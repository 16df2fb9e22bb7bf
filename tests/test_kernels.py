"""Triton kernels without a GPU: interpreted against their definitions, and compiled for sm_80 and sm_90."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

triton = pytest.importorskip("triton", reason="Triton is there on Linux only")

POINTERS = {"float32": "*fp32", "float16": "*fp16", "bfloat16": "*bf16"}
# (C, H·W, k): what real networks have, one of each, odd, long rows, more neurons than keys held at once.
SHAPES = [
    (2048, 49, 5),
    (1280, 16, 10),
    (4096, 64, 5),
    (1, 1, 1),
    (33, 35, 33),
    (64, 12544, 3),
    (5000, 4, 7),
    (16, 1024, 5),
]


def test_kernels_equal_their_definitions_under_the_interpreter():
    program = Path(__file__).with_name("interpreted_kernels.py")
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(program)],
        env={**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        cwd=program.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout[-6000:] + child.stderr[-2000:]
    assert re.search(r"\d{2,} passed", child.stdout), child.stdout
    assert "skipped" not in child.stdout


def compiled(shape, dtype, capability, constant, maximum, supporting, opposing):
    """The kernel as the launcher would have it for this shape, specialised as Triton does it."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from nle_fast.kernels.score_neurons import launch_sizes, score_neurons_kernel

    sizes = launch_sizes(*shape[:2])
    constants = {
        "CONSTANT": constant,
        "MAX": maximum,
        "SUPPORTING": supporting,
        "OPPOSING": opposing,
        "BLOCK_NEURONS": sizes.block_neurons,
        "BLOCK_POSITIONS": sizes.block_positions,
        "BLOCK_SELECT": sizes.block_select,
        "ONE_BLOCK": sizes.one_block,
    }
    integers = dict(zip(("C", "HW", "K"), shape, strict=True))
    constants |= {name: 1 for name, value in integers.items() if value == 1}
    signature, attributes = {}, {}
    for index, name in enumerate(score_neurons_kernel.arg_names):
        if name in constants:
            signature[name] = "constexpr"
        elif name in integers:
            signature[name] = "i32"
        elif name in ("p_activations", "p_gradients"):
            signature[name] = POINTERS[dtype]
        else:
            signature[name] = "*i32" if name in ("p_neurons", "p_bad") else "*fp32"
        if signature[name].startswith("*") or integers.get(name, 1) % 16 == 0:
            attributes[(index,)] = [["tt.divisibility", 16]]
    return triton.compile(
        ASTSource(score_neurons_kernel, signature, constexprs=constants, attrs=attributes),
        target=GPUTarget("cuda", capability, 32),
        options={"num_warps": sizes.num_warps, "maxnreg": sizes.max_registers, "enable_fp_fusion": False},
    )


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


@pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="nothing is compiled under TRITON_INTERPRET=1")
@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_compiles_without_spills(shape, capability, tmp_path, monkeypatch):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    variants = (
        ("float32", False, True, True, True),  # needs the most registers
        ("float32", False, False, True, False),
        ("bfloat16", False, True, True, True),
        ("float16", True, False, False, True),
        ("float32", True, True, True, True),
    )
    # Two of them for each shape, so that every variant is compiled for both chips and the whole stays below a minute.
    for variant in (variants[0], variants[1 + SHAPES.index(shape) % 4]):
        kernel = compiled(shape, variant[0], capability, *variant[1:])
        assert spills(kernel, tmp_path) == [0, 0, 0, 0], variant


@pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="nothing is compiled under TRITON_INTERPRET=1")
def test_spills_would_be_seen(tmp_path, monkeypatch):
    # The same kernel with a tile four times too large: the check above is able to fail.
    from nle_fast.kernels import score_neurons as module

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "launch_sizes", lambda *_: module.Sizes(256, 64, 2048, True, 16, 128))
    kernel = compiled((2048, 49, 5), "float32", 90, False, True, True, True)
    assert min(spills(kernel, tmp_path)) > 0
