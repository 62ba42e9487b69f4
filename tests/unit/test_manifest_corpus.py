"""The layout `manifest`: every field, and every way a line can be wrong."""

import hashlib
import json
import os
from pathlib import Path

import fsspec
import pytest

from ieat.pipeline.config import InputSettings
from ieat.pipeline.corpora import open_corpus
from ieat.pipeline.failures import BadInput, ConfigError
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Dialogue, Language, Turn

TURN = {"speaker": "ann", "text": "Hello."}


def read_all(path: Path | str, **settings: object) -> list[Dialogue]:
    corpus = open_corpus(InputSettings(path=str(path), **settings), 3)
    return [corpus.read(unit) for unit in corpus.units()]


def write_lines(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "calls.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def failure_of(tmp_path: Path, line: object, **settings: object) -> BadInput:
    path = write_lines(tmp_path, line)
    with pytest.raises(BadInput) as caught:
        read_all(path, **settings)
    assert caught.value.message.startswith(f"{path}:1: ")
    return caught.value


def test_a_full_line_becomes_a_dialogue(tmp_path: Path) -> None:
    line = {
        "dialogue_id": "call 7/ü",
        "language": "en-US",
        "split": "dev",
        "license": "CC0",
        "script": "break-in",
        "audio": "audio/7.flac",
        "turns": [
            {"speaker": "ann", "channel": 0, "start": 0.5, "end": 2, "text": "Hi.", "turn_id": 11},
            {"speaker": "bob", "channel": 1, "start": 1.5, "end": 3.25, "emotion": "cross"},
            {"speaker": "ann", "audio": "/other/x.wav", "source_turn_id": "b"},
            {"speaker": "bob", "audio": None, "text": "Bye."},
        ],
    }
    path = write_lines(tmp_path, line)
    shared = str(tmp_path / "audio" / "7.flac")
    assert read_all(path, corpus="calls") == [
        Dialogue(
            corpus="calls",
            name="call 7/ü",
            language=Language.EN,
            split="dev",
            license="CC0",
            script="break-in",
            source=f"{path}:1",
            source_sha256=hashlib.sha256(json.dumps(line).encode()).hexdigest(),
            turns=(
                Turn(
                    index=0,
                    source_turn_id="11",
                    speaker="ann",
                    audio=AudioSpan(uri=shared, channel=0, start=0.5, end=2.0),
                    text="Hi.",
                ),
                Turn(
                    index=1,
                    source_turn_id="1",
                    speaker="bob",
                    audio=AudioSpan(uri=shared, channel=1, start=1.5, end=3.25),
                    emotion="cross",
                ),
                Turn(
                    index=2,
                    source_turn_id="b",
                    speaker="ann",
                    audio=AudioSpan(uri="/other/x.wav"),
                ),
                Turn(index=3, source_turn_id="3", speaker="bob", text="Bye."),
            ),
        )
    ]


def test_what_a_line_does_not_say_comes_from_the_settings(tmp_path: Path) -> None:
    path = write_lines(tmp_path, {"dialogue_id": "1", "turns": [TURN]})
    [dialogue] = read_all(path, language="Chinese", split="test", license="MIT")
    assert (dialogue.corpus, dialogue.language) == ("calls", Language.ZH)
    assert (dialogue.split, dialogue.license) == ("test", "MIT")


@pytest.mark.parametrize("word", ["en", "en-US", "English", "EN_gb"])
def test_names_of_english_are_taken(tmp_path: Path, word: str) -> None:
    path = write_lines(tmp_path, {"dialogue_id": "1", "language": word, "turns": [TURN]})
    assert read_all(path)[0].language is Language.EN


@pytest.mark.parametrize("word", ["zh", "zh-CN", "cmn", "Chinese", "cmn-Hans-CN", "zh_TW"])
def test_names_of_chinese_are_taken(tmp_path: Path, word: str) -> None:
    path = write_lines(tmp_path, {"dialogue_id": "1", "language": word, "turns": [TURN]})
    assert read_all(path)[0].language is Language.ZH


def test_overlapping_turns_are_kept_and_ordered_by_start(tmp_path: Path) -> None:
    turns = [
        {"speaker": "a", "start": 3.0, "end": 6.0},
        {"speaker": "b", "start": 0.0, "end": 4.0},
        {"speaker": "a", "start": 3.0, "end": 3.5},
    ]
    line = {"dialogue_id": "1", "language": "en", "audio": "a.wav", "turns": turns}
    [dialogue] = read_all(write_lines(tmp_path, line))
    assert [turn.source_turn_id for turn in dialogue.turns] == ["1", "0", "2"]
    assert [turn.index for turn in dialogue.turns] == [0, 1, 2]
    assert dialogue.flags == ("reordered", "overlapping")


def test_turns_of_several_files_keep_the_order_of_the_line(tmp_path: Path) -> None:
    turns = [
        {"speaker": "a", "audio": "1.wav", "start": 3.0, "end": 6.0},
        {"speaker": "b", "audio": "2.wav", "start": 0.0, "end": 4.0},
    ]
    line = {"dialogue_id": "1", "language": "en", "turns": turns}
    [dialogue] = read_all(write_lines(tmp_path, line))
    assert [turn.speaker for turn in dialogue.turns] == ["a", "b"]
    assert dialogue.flags == ()


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = json.dumps({"dialogue_id": "1", "language": "en", "turns": [TURN]})
    path.write_bytes(b"\xef\xbb\xbf\r\n" + line.encode() + b"\r\n\r\n  \n" + line.encode())
    assert [dialogue.source for dialogue in read_all(path)] == [f"{path}:2", f"{path}:5"]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ('{"dialogue_id": "1", ', "broken_json", "one whole JSON object"),
        ("[1, 2]", "broken_json", "no JSON object"),
        ("[" * 100_000, "broken_json", "nested too deeply"),
        ('{"dialogue_id": "1", "dialogue_id": "2"}', "duplicate_key", "'dialogue_id' stands twice"),
        ('{"dialogue_id": "1", "turns": [{"start": NaN}]}', "broken_json", "NaN"),
        (
            {"dialogue_id": "1", "langauge": "en", "turns": [TURN]},
            "invalid_dialogue",
            "langauge: unk",
        ),
        (
            {"dialogue_id": "1", "language": "en", "turns": [{**TURN, "mood": "sad"}]},
            "invalid_dialogue",
            "turns.0.mood: unknown key",
        ),
        ({"language": "en", "turns": [TURN]}, "invalid_dialogue", "dialogue_id: missing"),
        ({"dialogue_id": "1", "language": "en", "turns": []}, "invalid_dialogue", "turns"),
        ({"dialogue_id": "1", "language": "fr", "turns": [TURN]}, "unsupported_language", "'fr'"),
        ({"dialogue_id": "1", "turns": [TURN]}, "missing_language", "`language`"),
        (
            {"dialogue_id": "a\nb", "language": "en", "turns": [TURN]},
            "bad_id",
            "control characters",
        ),
        ({"dialogue_id": " ", "language": "en", "turns": [TURN]}, "bad_id", "1 to 512"),
        (
            {"dialogue_id": "1", "language": "en", "split": "a/b", "turns": [TURN]},
            "invalid_dialogue",
            "split",
        ),
        (
            {"dialogue_id": "1", "language": "en", "turns": [{"speaker": "a"}]},
            "invalid_dialogue",
            "neither audio nor text",
        ),
        (
            {"dialogue_id": "1", "language": "en", "audio": "a.wav", "turns": [TURN, TURN]},
            "missing_times",
            "turns.0: it shares its audio",
        ),
        (
            {
                "dialogue_id": "1",
                "language": "en",
                "turns": [{"speaker": "a", "audio": "a.wav", "start": 2, "end": 1}],
            },
            "invalid_dialogue",
            "turns.0: audio span ends at 1.0 s",
        ),
        (
            {"dialogue_id": "1", "language": "en", "turns": [{**TURN, "channel": 1}]},
            "missing_audio",
            "no audio",
        ),
        ('{"dialogue_id": "\\ud800", "language": "en", "turns": []}', "invalid_dialogue", ""),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 25 else "",
)
def test_a_wrong_line_is_refused_with_its_reason(
    tmp_path: Path, line: object, code: str, words: str
) -> None:
    failure = failure_of(tmp_path, line)
    assert failure.code == code
    assert words in failure.message


def test_a_wrong_line_leaves_the_others(tmp_path: Path) -> None:
    good = {"dialogue_id": "1", "language": "en", "turns": [TURN]}
    corpus = open_corpus(InputSettings(path=str(write_lines(tmp_path, "{", good))), 0)
    first, second = corpus.units()
    with pytest.raises(BadInput):
        corpus.read(first)
    assert corpus.read(second).name == "1"


def test_a_line_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"dialogue_id": "ü"}'.encode("latin-1"))
    with pytest.raises(BadInput, match="not UTF-8") as caught:
        read_all(path)
    assert caught.value.code == "not_utf8"


def test_a_line_that_is_too_long_is_refused_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ieat.pipeline.corpora.lines.MAX_LINE", 200)
    good = {"dialogue_id": "1", "language": "en", "turns": [TURN]}
    path = write_lines(tmp_path, "x" * 1_000, good)
    corpus = open_corpus(InputSettings(path=str(path)), 0)
    first, second = corpus.units()
    with pytest.raises(BadInput) as caught:
        corpus.read(first)
    assert caught.value.code == "line_too_long"
    assert corpus.read(second).name == "1"


def test_lines_are_found_one_by_one(tmp_path: Path) -> None:
    good = {"dialogue_id": "1", "language": "en", "turns": [TURN]}
    path = write_lines(tmp_path, *[good] * 10_000, "")
    units = open_corpus(InputSettings(path=str(path)), 0).units()
    assert next(units).source == f"{path}:1"
    with path.open("a") as file:
        file.write("a line that is written after the first was read")
    assert sum(1 for _ in units) == 10_000


def test_a_manifest_on_any_file_system_is_read(tmp_path: Path) -> None:
    line = {"dialogue_id": "1", "language": "en", "turns": [{"speaker": "a", "audio": "x/a.wav"}]}
    with fsspec.open("memory://corpus/m.jsonl", "w") as file:
        file.write(json.dumps(line))
    [dialogue] = read_all("memory://corpus/m.jsonl")
    assert dialogue.corpus == "m"
    assert dialogue.turns[0].audio == AudioSpan(uri="memory://corpus/x/a.wav")


@pytest.mark.parametrize(
    "path", ["nothing.jsonl", "memory://nowhere/m.jsonl", "nosuch://a/b.jsonl"]
)
def test_a_missing_manifest_is_a_mistake_of_the_configuration(tmp_path: Path, path: str) -> None:
    full = path if "://" in path else str(tmp_path / path)
    with pytest.raises(ConfigError, match=r"nothing at|cannot reach"):
        open_corpus(InputSettings(path=full), 0).units()


def test_an_empty_manifest_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="looked for one JSON object a line"):
        open_corpus(InputSettings(path=str(write_lines(tmp_path, "", "  "))), 0).units()
    with pytest.raises(ConfigError, match="layout: folder"):
        open_corpus(InputSettings(path=str(tmp_path)), 0).units()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_manifest_that_may_not_be_read_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    path = write_lines(tmp_path, "{}")
    path.chmod(0)
    with pytest.raises(ConfigError, match="Permission denied"):
        open_corpus(InputSettings(path=str(path)), 0).units()
