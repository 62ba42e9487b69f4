"""The linear baseline: its shipped weights, when it abstains, and how it is trained."""

import asyncio
import hashlib

import numpy as np
import pytest

from ieat.pipeline.engines import train_linear
from ieat.pipeline.engines.linear import (
    EMOTIONS,
    WEIGHTS,
    WEIGHTS_SHA256,
    LinearLabeler,
    load_weights,
)
from ieat.pipeline.failures import ConfigError
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.history import HeardTurn, History


def heard(index, words):
    return HeardTurn(
        turn_index=index, speaker="ann", clean=words, tagged=words, events=(), words=(),
        audio=None, duration=None, cues=None,
    )  # fmt: skip


def label(*words, language=Language.EN, min_confidence=0.4):
    turns = tuple(heard(index, said) for index, said in enumerate(words))
    history = History(dialogue_id="c/d", language=language, turns=turns)
    return asyncio.run(LinearLabeler(min_confidence).label(history))


@pytest.mark.parametrize(
    ("words", "emotion"),
    [
        ("I am so happy, thank you so much!", Emotion.HAPPY),
        ("I'm so sorry, this is heartbreaking. I miss him.", Emotion.SAD),
        ("What the hell is wrong with you, I hate this!", Emotion.ANGER),
        ("Wow, I did not expect that, really?", Emotion.SURPRISE),
        ("I am terrified of what might happen.", Emotion.FEAR),
        ("That is disgusting.", Emotion.DISGUST),
        ("The meeting is on the second floor.", Emotion.NEUTRAL),
    ],
)
def test_plain_words_get_their_emotion(words, emotion):
    labeled = label(words)
    assert labeled.emotion is emotion
    assert labeled.source == "text"
    assert labeled.labeler_id == f"linear@{WEIGHTS_SHA256[:12]}"
    assert labeled.confidence is not None
    assert 0.4 <= labeled.confidence <= 1.0


def test_only_the_last_turn_counts():
    assert label("I hate you", "That is great, thank you!") == label("That is great, thank you!")


def test_an_unsure_label_abstains_and_says_how_unsure_it_was():
    sure = label("Thank you!", min_confidence=0.0)
    unsure = label("Thank you!", min_confidence=1.0)
    assert sure.emotion is Emotion.HAPPY
    assert unsure.emotion is None
    assert unsure.confidence == sure.confidence


def test_chinese_is_not_labeled():
    labeled = label("我今天很难过", language=Language.ZH)
    assert (labeled.emotion, labeled.confidence) == (None, None)


@pytest.mark.parametrize("words", ["…", "😀", "\x00", "a" * 20_000])
def test_odd_words_get_probabilities_that_sum_to_one(words):
    probabilities = load_weights().probabilities([words])
    assert probabilities.shape == (1, 7)
    assert probabilities.sum() == pytest.approx(1.0)


def test_the_shipped_weights_are_the_pinned_ones_and_small():
    content = WEIGHTS.read_bytes()
    assert hashlib.sha256(content).hexdigest() == WEIGHTS_SHA256
    assert len(content) < 1_000_000


def test_other_weights_are_refused(tmp_path):
    other = tmp_path / "other.npz"
    other.write_bytes(WEIGHTS.read_bytes() + b"\0")
    with pytest.raises(ConfigError, match=r"are not the released ones.*install ieat again"):
        load_weights(other)
    with pytest.raises(ConfigError, match=r"cannot read the weights.*No such file"):
        load_weights(tmp_path / "missing.npz")


COMMENTS = [
    ("I am furious", "0"), ("so gross", "1"), ("I am scared", "2"), ("what a joy", "3"),
    ("it is a table", "4"), ("I cry all day", "5"), ("oh really", "6"), ("joy and tears", "3,5"),
]  # fmt: skip


def test_training_reads_the_published_files_and_writes_weights_that_load(tmp_path, capsys):
    lines = "".join(f"{text}\t{labels}\tid\n" for text, labels in COMMENTS * 3)
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.tsv").write_text(lines, encoding="utf-8")
    output = tmp_path / "weights" / "new.npz"
    train_linear.main(tmp_path, None, regularization=1000.0, output=output)
    sha256 = hashlib.sha256(output.read_bytes()).hexdigest()
    weights = load_weights(output, sha256)
    texts = [text for text, labels in COMMENTS if "," not in labels]
    assert weights.probabilities(texts).argmax(axis=1).tolist() == list(range(len(EMOTIONS)))
    assert weights.quantized.dtype == np.int8
    printed = capsys.readouterr().out
    assert "test, one label: 21 texts, accuracy 1.000, macro-F1 1.000, majority 0.143" in printed
    assert "test, all 24, any of its labels: accuracy 1.000" in printed
    assert sha256 in printed


def test_training_twice_gives_the_same_bytes(tmp_path):
    comments = [
        train_linear.Comment(text, tuple(map(int, labels.split(",")))) for text, labels in COMMENTS
    ]
    hashes = {
        train_linear.train(comments, 1.0).save(tmp_path / f"{number}.npz") for number in range(2)
    }
    assert len(hashes) == 1


def test_a_label_comes_with_the_probabilities_of_all_seven_and_chinese_with_none():
    found = label("I am so happy, this is wonderful!")
    shares = dict(found.soft)
    assert set(shares) == {emotion.value for emotion in Emotion}
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-5)
    assert max(shares, key=shares.get) == found.emotion.value
    assert shares[found.emotion.value] == found.confidence
    assert label("我很高兴", language=Language.ZH).soft is None
