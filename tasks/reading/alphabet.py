"""The second reader's recognition model, cut to the letters of our records.

Rule kept here: only what scores letters is left out, never what sees them. The model in the wheel chooses each letter
among 18,708, nearly all of East Asia: that choice alone is a sixth of its time. On five pages of 1,879 words the cut
model read every word as the whole one does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto

FIRST_EAST_ASIAN = 0x2E80
"""From this code point on come the scripts of East Asia (CJK Radicals Supplement), full-width forms and emoji."""

LETTERS = "character"
"""Key in the model's own description: the letters it knows, one a line, in the order of its scores."""

BLANK, SPACE = 1, 1
"""Scores before the first letter's (no letter here) and behind the last one's."""


def cut_model(path: Path) -> bytes:
    """The model without the letters from `FIRST_EAST_ASIAN` on.

    Args:
        path: ONNX file of a recogniser (CTC) that describes its letters itself.

    Returns:
        An ONNX file.

    Raises:
        ValueError: it is not built as expected.
    """
    import onnx  # a quarter of a second, which only doubtful pages pay

    model = onnx.load(path)
    described = next((entry for entry in model.metadata_props if entry.key == LETTERS), None)
    if described is None:
        raise ValueError("The model does not say which letters it knows.")
    letters = described.value.splitlines()
    kept = [number for number, letter in enumerate(letters) if len(letter) == 1 and ord(letter) < FIRST_EAST_ASIAN]
    described.value = "\n".join(letters[number] for number in kept)
    _keep(model, [0, *(BLANK + number for number in kept), BLANK + len(letters)], BLANK + len(letters) + SPACE)
    return bytes(model.SerializeToString())


def _keep(model: ModelProto, columns: list[int], of: int) -> None:
    """Leave only some columns of the last layer's weights and biases."""
    from onnx import numpy_helper

    last = [one for one in model.graph.initializer if one.dims and one.dims[-1] == of]
    if sorted(len(one.dims) for one in last) != [1, 2]:
        raise ValueError("The model's last layer is not as expected.")
    for one in last:
        weights = np.ascontiguousarray(numpy_helper.to_array(one)[..., columns])
        one.CopyFrom(numpy_helper.from_array(weights, one.name))
    model.graph.output[0].type.tensor_type.shape.dim[2].Clear()
