"""The second reader's alphabet: what is left out costs time, and what is kept is read as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import rapidocr
from onnx import TensorProto, helper

from tasks.reading.alphabet import FIRST_EAST_ASIAN, LETTERS, cut_model
from tasks.reading.second import RECOGNISER

MODEL = Path(rapidocr.__file__).parent / "models" / RECOGNISER


@pytest.fixture(scope="module")
def sessions() -> tuple[onnxruntime.InferenceSession, onnxruntime.InferenceSession]:
    """The model as it comes, and cut."""
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    made = (onnxruntime.InferenceSession(model, quiet) for model in (str(MODEL), cut_model(MODEL)))
    return next(made), next(made)


def letters_of(session: onnxruntime.InferenceSession) -> list[str]:
    return list(session.get_modelmeta().custom_metadata_map[LETTERS].splitlines())


def test_no_letter_of_latin_is_lost(sessions: tuple[onnxruntime.InferenceSession, ...]) -> None:
    whole, cut = (letters_of(session) for session in sessions)
    assert cut == [letter for letter in whole if len(letter) == 1 and ord(letter) < FIRST_EAST_ASIAN]
    assert {chr(code) for code in range(0x21, 0x7F)} <= set(cut)
    assert len(cut) < len(whole) / 5


def test_each_kept_letter_keeps_its_score(sessions: tuple[onnxruntime.InferenceSession, ...]) -> None:
    """Scores are shares of one: they stand in the same proportion to one another as before."""
    whole, cut = sessions
    lines = np.random.default_rng(7).uniform(-1, 1, (2, 3, 48, 256)).astype(np.float32)
    before, after = (session.run(None, {session.get_inputs()[0].name: lines})[0] for session in sessions)
    numbers = {letter: number for number, letter in enumerate(letters_of(whole), 1)}
    kept = [0, *(numbers[letter] for letter in letters_of(cut)), before.shape[2] - 1]
    expected = before[:, :, kept] / before[:, :, kept].sum(axis=2, keepdims=True)
    assert after.shape == expected.shape
    np.testing.assert_allclose(after, expected, atol=1e-4)


def model_file(folder: Path, letters: str | None, wide: int) -> Path:
    """A model of one layer that says its letters, or does not."""
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [2, wide], np.zeros(2 * wide))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, size]) for name, size in (("x", 2), ("y", wide))
    ]
    node = helper.make_node("MatMul", ["x", "weights"], ["y"])
    model = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], [weights]))
    if letters is not None:
        helper.set_model_props(model, {LETTERS: letters})
    path = folder / "model.onnx"
    onnx.save(model, path)
    return path


def test_a_model_that_says_no_letters_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="which letters"):
        cut_model(model_file(tmp_path, None, 4))


def test_a_model_built_otherwise_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="last layer"):
        cut_model(model_file(tmp_path, "a\nb", 4))
