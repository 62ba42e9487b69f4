"""Test sets are read as people have them: HumDial's tree, TELEVAL's rows, and plain files."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.cli import run
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.fingerprints import hash_grams, hash_sound, hash_words, words_of
from ieat.pipeline.guard import Guard, GuardFile, GuardSet, Match, find_in_talk, read_guard
from ieat.pipeline.guard_sets import GuardBuilder
from ieat.pipeline.ports import Samples
from ieat.schemas.audio import AudioSpan
from tests.sounds import tone, write

FIRST = "The day I lost my bag I was so angry at my sister"
SECOND = "Then she came with flowers and said that she is very sorry"


def built(*given: tuple[str, Path]) -> GuardFile:
    builder = GuardBuilder()
    for name, path in given:
        builder.add(name, str(path))
    return builder.file()


def rows(file: Path, *values: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")
    return file


def find(file: GuardFile, *said: str) -> Match | None:
    found = find_in_talk(Guard(file), [("ann", words) for words in said])
    return found[1] if found else None


def humdial(folder: Path) -> Path:
    """Write a test tree with the sounds beside the rows, named as the organizers name them."""
    tree = folder / "HD-Track1-Test" / "en"
    for turn in (1, 2):
        write(tree / "HD-Track1-T1" / f"en_0001_0002_{turn}.wav", tone(0.3, pitch=200 + turn))
    turns = [{"turn_id": 1, "text": f"{FIRST} [sigh]"}, {"turn_id": 2, "input_text": SECOND}]
    row = {"dialogue_id": "en_0001_0002", "turns": turns}
    return rows(tree / "HD-Track1-T1.jsonl", row)


def heard(folder: Path, turn: int) -> Samples:
    name = f"HD-Track1-Test/en/HD-Track1-T1/en_0001_0002_{turn}.wav"
    return decode_span(AudioSpan(uri=str(folder / name)))


def test_a_humdial_file_gives_its_words_and_the_sounds_beside_it(tmp_path):
    file = built(("T1", humdial(tmp_path)))
    assert file.sets == (
        GuardSet(name="T1", files=1, items=1, texts=2, short=0, sounds=2, missing=0),
    )
    assert file.items == ((0, "en_0001_0002"),)
    assert set(file.texts) == {hash_words(words_of(FIRST)), hash_words(words_of(SECOND))}
    assert set(file.sounds) == {hash_sound(heard(tmp_path, turn)) for turn in (1, 2)}
    assert find(file, f"{FIRST}!") == Match("the text", "T1", "en_0001_0002")


def test_a_tree_is_read_as_a_whole_and_each_sound_once(tmp_path):
    humdial(tmp_path)
    (tmp_path / "HD-Track1-Test" / "notes.md").write_text(FIRST)
    file = built(("test", tmp_path / "HD-Track1-Test"))
    (found,) = file.sets
    assert (found.files, found.texts, found.sounds, found.missing) == (3, 2, 2, 0)
    assert len(file.sounds) == 2


def test_stretches_go_over_the_turns_of_one_column_and_one_speaker(tmp_path):
    turns = [
        {"speaker": "user", "text": "My bag is gone and I am sad"},
        {"speaker": "assistant", "text": "Oh no, where did you see it last, my dear"},
        {"speaker": "user", "text": "It was in the car, and now it is not"},
    ]
    file = built(("own", rows(tmp_path / "own.jsonl", {"dialogue_id": "d1", "turns": turns})))
    joined = words_of(f"{turns[0]['text']} {turns[2]['text']}")
    assert set(hash_grams(joined)) <= set(file.grams)
    assert find(file, f"So {turns[0]['text']}", f"{turns[2]['text']} there") == Match(
        "a stretch", "own", "d1"
    )


def test_televal_rows_give_short_questions_and_the_parts_of_their_answers(tmp_path):
    write(tmp_path / "a.wav", tone(0.3))
    sound = {"bytes": (tmp_path / "a.wav").read_bytes(), "path": "a.wav"}
    answer = {"__tuple__": True, "items": [f"{FIRST} again", "Hemingway"]}
    given = {
        "key": ["q1", "q2"],
        "query": ["Who wrote the old man?", "谁是第一个登上月球的人"],
        "answer": [json.dumps([answer, SECOND]), "Armstrong"],
        "query_emo": [SECOND + " this is no text", "sad"],
        "audio": [sound, None],
    }
    pq.write_table(pa.table(given), tmp_path / "aqa.parquet")
    file = built(("TELEVAL", tmp_path / "aqa.parquet"))
    assert file.sets == (
        GuardSet(name="TELEVAL", files=1, items=2, texts=4, short=2, sounds=1, missing=0),
    )
    assert find(file, "Who wrote The Old Man") == Match("the text", "TELEVAL", "q1")
    assert find(file, "谁是第一个登上月球的人?") == Match("the text", "TELEVAL", "q2")
    assert find(file, SECOND) == Match("the text", "TELEVAL", "q1")
    assert find(file, SECOND + " this is no text") is None


def test_turns_of_televal_are_numbered_in_their_columns(tmp_path):
    row = {"key": "m1", "user_text1": FIRST, "bot_text1": "Oh", "user_text2": SECOND, "nrounds": 2}
    file = built(("multi", rows(tmp_path / "m.jsonl", row)))
    assert set(hash_grams(words_of(f"{FIRST} {SECOND}"))) <= set(file.grams)


def test_an_answer_that_many_items_have_is_a_phrase_and_says_nothing_of_any(tmp_path):
    phrase = "I hear you, and that does sound very hard to bear"
    file = built(
        (
            "set",
            rows(
                tmp_path / "set.jsonl",
                *({"key": str(n), "text": FIRST, "response_text": phrase} for n in range(3)),
                *({"key": f"b{n}", "response_text": SECOND} for n in range(2)),
            ),
        )
    )
    assert find(file, phrase) is None
    assert find(file, SECOND) == Match("the text", "set", "b0")
    # The same question in many items is what robustness is tested with: it stays.
    assert find(file, FIRST) == Match("the text", "set", "0")


def test_sounds_that_are_named_but_not_there_or_broken_are_counted(tmp_path):
    (tmp_path / "broken.wav").write_text("no sound")
    file = rows(
        tmp_path / "set.jsonl",
        {"key": "a", "query": FIRST, "audio": "none.wav"},
        {"key": "b", "query": SECOND, "audio": "broken.wav"},
    )
    (found,) = built(("set", file)).sets
    assert (found.texts, found.sounds, found.missing) == (2, 0, 2)


def test_json_lists_and_lines_of_text_are_read(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"question": FIRST}, {"id": 7, "text": SECOND}]))
    (tmp_path / "b.txt").write_text(f"\n{SECOND} and went\n", encoding="utf-8")
    file = built(("a", tmp_path / "a.json"), ("b", tmp_path / "b.txt"))
    assert file.items == ((0, "a.json:1"), (0, "7"), (1, "b.txt:2"))


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.jsonl", b'{"text"', r"a\.jsonl:1: .*must be one whole JSON object"),
        ("a.json", b"[1", r"a\.json: .*give valid JSON"),
        ("a.json", b"[1]", r"a\.json:1: this is no JSON object"),
        ("a.parquet", b"PAR", r"a\.parquet: Parquet file size is 3 bytes"),
        ("a.txt", b"\xff\xfe\xfd", "not UTF-8"),
        ("a.txt", b"\n", "holds no text and no sound"),
        ("a.csv", b"text\nwords", "holds no text and no sound"),
    ],
)
def test_what_cannot_be_read_is_a_mistake_with_its_place(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=match):
        built(("set", tmp_path / name))


def test_the_commands_make_a_file_and_show_it(tmp_path, capsys):
    humdial(tmp_path)
    lines = tmp_path / "lines.txt"
    lines.write_text(f"{SECOND} too\nHi\n")
    out = tmp_path / "guard.json.zst"
    tree = f"HumDial={tmp_path / 'HD-Track1-Test'}"
    assert run(["guard", "build", tree, str(lines), "--output", str(out)], []) == 0
    told = capsys.readouterr().out
    shown = (
        "HumDial: 3 items of 3 files, 2 texts (0 more are too short to count), 2 sounds\n"
        "lines: 2 items of 1 files, 1 texts (1 more are too short to count), 0 sounds\n"
        "3 hashes of texts, 2 of stretches, 2 of sounds (normalization 1)\n"
    )
    assert told == f"{shown}wrote {out}; name it as `guard` in a configuration\n"
    assert run(["guard", "show", str(out)], []) == 0
    assert capsys.readouterr().out == shown
    assert [one.name for one in read_guard(str(out)).file.sets] == ["HumDial", "lines"]
    assert run(["guard", "build", str(tmp_path / "none"), "--output", str(out)], []) == 2
    assert "nothing at" in capsys.readouterr().err
