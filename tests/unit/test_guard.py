"""What stands in a test set is found, by words and by sound; what is said by chance is not."""

import asyncio

import pytest
import soundfile

from ieat.pipeline.failures import ConfigError, RecordError
from ieat.pipeline.guard import (
    Guard,
    GuardFile,
    Match,
    find_in_talk,
    hash_guard,
    read_guard,
    write_guard,
)
from ieat.pipeline.guard_sets import GuardBuilder
from ieat.pipeline.stages.guard import WRITTEN, guard_given, guard_said, guard_written
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Language
from tests.builders import composed
from tests.dialogues import dialogue, transcribed
from tests.sounds import tone, write

LONG = "I came home late last night and somebody had stolen the old leather bag with my letters"
ZH = "昨天晚上我很晚才回家,结果发现有人把我装信的旧皮包偷走了"
SHORT = "I am so tired today"


@pytest.fixture
def guard(tmp_path) -> Guard:
    (tmp_path / "set.txt").write_text(f"{LONG}\n{ZH}\n{SHORT}\n", encoding="utf-8")
    builder = GuardBuilder()
    builder.add("dev", str(tmp_path / "set.txt"))
    return Guard(builder.file())


def find(guard: Guard, *said: tuple[str, str]) -> tuple[str, Match] | None:
    return find_in_talk(guard, said)


def test_a_turn_with_the_same_words_is_found_in_both_languages(guard):
    assert find(guard, ("ann", "Hi"), ("bob", LONG.upper() + "!")) == (
        "turn 1",
        Match("the text", "dev", "set.txt:1"),
    )
    assert find(guard, ("ann", ZH.replace(",", ""))) == (
        "turn 0",
        Match("the text", "dev", "set.txt:2"),
    )


def test_a_stretch_of_the_words_is_found_in_other_words(guard):
    found = ("turn 0", Match("a stretch", "dev", "set.txt:1"))
    assert find(guard, ("ann", "You know, " + LONG.replace("I came home", "he came back"))) == found
    found = ("turn 0", Match("a stretch", "dev", "set.txt:2"))
    assert find(guard, ("ann", f"你听我说,{ZH}怎么办")) == found


def test_a_stretch_is_found_over_the_turns_of_one_speaker(guard):
    words = LONG.split()
    said = [("ann", " ".join(words[:6])), ("bob", "Oh"), ("ann", " ".join(words[6:]))]
    assert find(guard, *said) == ("the turns of ann", Match("the text", "dev", "set.txt:1"))


def test_what_is_short_or_only_alike_is_not_found(guard):
    assert find(guard, ("ann", SHORT)) is None
    words = LONG.split()
    assert find(guard, ("ann", " ".join(words[:12]))) is None
    assert find(guard, ("ann", " ".join(reversed(words)))) is None
    assert find(guard, ("ann", ZH[:15])) is None


def test_the_dialogue_fails_with_the_match_unless_its_split_is_held_out(guard):
    talk = dialogue((("ann", "Hi"), ("bob", LONG)), with_audio=False)
    with pytest.raises(RecordError) as caught:
        asyncio.run(guard_given(talk, guard))
    assert caught.value.code == "contaminated"
    assert caught.value.message.startswith("turn 1 has the text of dev: set.txt:1; leave it out")
    held_out = talk.model_copy(update={"split": "test"})
    assert asyncio.run(guard_given(held_out, guard)) is held_out


def test_transcribed_words_are_looked_up_too(guard):
    said = transcribed(dialogue((("ann", ZH), ("bob", "好")), language=Language.ZH))
    with pytest.raises(RecordError, match="turn 0 has the text of dev"):
        asyncio.run(guard_said(said, guard))
    clean = transcribed(dialogue())
    assert asyncio.run(guard_said(clean, guard)) is clean


def test_a_written_answer_fails_its_target_alone(tmp_path, guard):
    talk = composed()
    first, *others = talk.samples
    said = first.model_copy(update={"response": first.response.model_copy(update={"text": LONG})})
    found = asyncio.run(guard_written(talk.model_copy(update={"samples": (said, *others)}), guard))
    assert found.samples == tuple(others) != ()
    (failure,) = found.failures
    assert (failure.unit, failure.turn_index, failure.stage, failure.code) == (
        "target",
        first.target.turn_index,
        WRITTEN,
        "contaminated",
    )
    assert failure.message.startswith("the written answer has the text of dev: set.txt:1")
    assert failure.response_keys == first.response.response_keys
    assert asyncio.run(guard_written(talk, guard)) == talk


def test_the_same_samples_are_found_whatever_file_holds_them(tmp_path):
    write(tmp_path / "set" / "a.wav", tone(0.5))
    whole, _ = soundfile.read(tmp_path / "set" / "a.wav", dtype="int16")
    soundfile.write(tmp_path / "copy.flac", whole, 16_000, subtype="PCM_24")
    write(tmp_path / "other.wav", tone(0.5, pitch=201))
    builder = GuardBuilder()
    builder.add("test", str(tmp_path / "set"))
    guard = Guard(builder.file())

    def talk(name):
        turn = dialogue((("ann", "Hi"),)).turns[0]
        turns = (turn.model_copy(update={"audio": AudioSpan(uri=str(tmp_path / name))}),)
        return dialogue().model_copy(update={"turns": turns})

    with pytest.raises(RecordError, match=r"turn 0 has the sound of test: a\.wav"):
        asyncio.run(guard_given(talk("copy.flac"), guard))
    for name in ("other.wav", "missing.wav"):
        given = talk(name)
        assert asyncio.run(guard_given(given, guard)) is given


@pytest.mark.parametrize("name", ["guard.json", "deep/guard.json.zst"])
def test_a_guard_is_read_as_it_was_written_and_holds_no_words(tmp_path, guard, name):
    file = tmp_path / name
    write_guard(file, guard.file)
    assert read_guard(str(file)).file == guard.file
    write_guard(tmp_path / "plain.json", guard.file)
    assert hash_guard(str(file)) == hash_guard(str(tmp_path / "plain.json"))
    text = (tmp_path / "plain.json").read_text(encoding="utf-8")
    assert "leather" not in text
    assert "皮包" not in text


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (None, "cannot read the guard .*: No such file"),
        ('{"sets": 1}', "is no file of `ieat guard build`"),
        ('{"sets": [], "items": [], "normalization": 99}', "was made by another version"),
    ],
)
def test_a_guard_that_cannot_be_used_is_a_mistake(tmp_path, content, match):
    file = tmp_path / "guard.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=match):
        read_guard(str(file))


def test_a_broken_compressed_guard_is_a_mistake(tmp_path):
    file = tmp_path / "guard.json.zst"
    file.write_bytes(b"no zstd")
    with pytest.raises(ConfigError, match="cannot read the guard"):
        read_guard(str(file))


def test_a_guard_of_no_place_is_a_mistake():
    with pytest.raises(ConfigError, match="cannot read the guard"):
        hash_guard("nowhere://guard.json")


def test_a_file_of_fingerprints_is_closed():
    with pytest.raises(ValueError, match="extra"):
        GuardFile.model_validate({"sets": [], "items": [], "text": "words"})
