"""Converts a Paddle program and its parameters to an ONNX model, operator by operator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format import arithmetic, layers, legacy, parameters, pir, recurrent, shapes
from ppocr_convert.paddle_format.builder import TRANSLATIONS, Builder
from ppocr_convert.paddle_format.program import Program

#: The modules that fill TRANSLATIONS.
GROUPS = (arithmetic, layers, recurrent, shapes)
#: The last opset in which axes are attributes; the other parts of ppocr_convert rely on that.
OPSET = 12
#: The errors that reading a damaged program, or one of an unknown kind, may end in.
_WRONG = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def read_program(content: bytes, file: str) -> Program:
    """The program in a file of either format. Raises BundleError."""
    try:
        program = pir.read(content) if content[:1] == b"{" else legacy.read(content)
    except _WRONG as error:
        raise BundleError(f"{file} isn't a program as Paddle writes it ({error!r}); is it damaged?") from error
    if len(program.feeds) != 1 or len(program.fetches) != 1:
        raise BundleError(
            f"{file} has {len(program.feeds)} inputs and {len(program.fetches)} outputs; a PP-OCR network has one of each"
        )
    return program


def convert(program: Program, content: bytes, file: str) -> ModelProto:
    """The model: FLOAT [N,3,H,W] in, FLOAT out. `content` is that of the parameters' file; errors call it `file`.

    Raises BundleError.
    """
    unknown = sorted({item.kind for item in program.operators if item.kind not in TRANSLATIONS})
    if unknown:
        raise BundleError(
            f"the Paddle program uses {', '.join(unknown)}, which this converter can't translate (not used by "
            "PP-OCR's detection, recognition and orientation networks)"
        )
    builder = Builder(program, parameters.read(content, program.parameters, file))
    for operator in program.operators:
        try:
            TRANSLATIONS[operator.kind](builder, operator)
        except _WRONG as error:
            raise BundleError(
                f"the operator {operator.kind} of the Paddle program isn't as Paddle writes it ({error!r}); is the file damaged?"
            ) from error
    (source, shape), (target,) = next(iter(program.feeds.items())), program.fetches
    nodes = _needed(builder, target)
    used = {name for node in nodes for name in node.input}
    sizes = [name if size < 0 else size for name, size in zip(("N", "C", "H", "W"), shape, strict=True)]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(source, TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info(target, TensorProto.FLOAT, [None] * builder.rank(target))],
        [
            numpy_helper.from_array(np.asarray(value, order="C"), name)
            for name, value in builder.constants.items()
            if name in used
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise BundleError(f"the translated network isn't valid ONNX: {str(error).splitlines()[0]}") from error
    return model


def to_onnx(program: Path, parameters_file: Path) -> ModelProto:
    """Reads both files and translates them. Raises BundleError."""
    return convert(read_program(program.read_bytes(), program.name), parameters_file.read_bytes(), parameters_file.name)


def _needed(builder: Builder, target: str) -> list[onnx.NodeProto]:
    """The nodes that the output depends on, in their order."""
    wanted, kept = {target}, []
    for node in reversed(builder.nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]
