"""The layout `humdial`: both published trees, in small synthetic ones made to their layout."""

import json
from pathlib import Path

import pytest

from ieat.pipeline.config import HumdialSettings, InputSettings
from ieat.pipeline.corpora import open_corpus
from ieat.pipeline.failures import BadInput, ConfigError, Filtered
from ieat.schemas.dialogue import Dialogue, Language
from tests.sounds import tone, write


def put(path: Path, *rows: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def wav(path: Path) -> str:
    return write(path, tone(0.2))


def read_all(path: Path, **settings: object) -> list[Dialogue]:
    values = {"corpus": "humdial", **settings}
    corpus = open_corpus(InputSettings(path=str(path), layout="humdial", **values), 0)
    return [corpus.read(unit) for unit in corpus.units()]


def turn(number: int, **more: object) -> dict:
    return {"turn_id": number, "text": f"question {number}", "emotion": "sad", **more}


def test_a_turn_of_the_train_tree_becomes_question_and_answer(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "zh"
    row = {
        "dialogue_id": "zh_0001_0002",
        "turns": [
            {
                "turn_id": 1,
                "text": "唉 [sigh]",
                "emotion": "anger",
                "split_audio_file": "task2_3/zh_0001_0002/turn_1.wav",
                "response_text": "assistant\n慢慢说。",
                "response_audio": "task2_3_model/turn_1_response.wav",
            },
            {"turn_id": 2, "text": "好", "emotion": "neutral", "split_audio_file": "turn_2.wav"},
        ],
    }
    file = put(folder / "task2_3.jsonl", row)
    audio = [wav(folder / "task2_3" / "zh_0001_0002" / f"turn_{number}.wav") for number in (1, 2)]
    [dialogue] = read_all(tmp_path)
    assert dialogue.dialogue_id == "humdial/task2_3_zh_0001_0002"
    assert (dialogue.language, dialogue.split, dialogue.tasks) == (Language.ZH, "train", ("T1",))
    assert dialogue.source == f"{file}:1"
    assert [
        (t.source_turn_id, t.speaker, t.text, t.emotion, t.audio and t.audio.uri)
        for t in dialogue.turns
    ] == [
        ("1", "user", "唉 [sigh]", "anger", audio[0]),
        ("1_response", "assistant", "慢慢说。", None, None),
        ("2", "user", "好", "neutral", audio[1]),
    ]
    assert dialogue.flags == ()


def test_the_other_names_of_the_same_things_are_read(tmp_path: Path) -> None:
    row = {
        "dialogue_id": "task3_3_en_0001_0002",
        "turns": [
            {"turn_id": 1, "input_text": "Oh.", "input_emotion": "sad", "response_txt": "Hm."}
        ],
    }
    put(tmp_path / "dev" / "en" / "task3.jsonl", row)
    [dialogue] = read_all(tmp_path)
    assert dialogue.name == "task3_3_en_0001_0002"
    assert (dialogue.split, dialogue.tasks) == ("dev", ("T2",))
    assert [(t.speaker, t.text, t.emotion) for t in dialogue.turns] == [
        ("user", "Oh.", "sad"),
        ("assistant", "Hm.", None),
    ]


def test_a_recognition_item_of_one_turn_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train" / "en"
    put(path / "task1.jsonl", {"dialogue_id": "en_0003_0001", "text": "No!", "emotion": "anger"})
    audio = wav(path / "task1" / "en_0003_0001_1.wav")
    [dialogue] = read_all(tmp_path)
    assert dialogue.tasks == ("T4",)
    assert [(t.text, t.emotion, t.audio.uri) for t in dialogue.turns] == [("No!", "anger", audio)]


@pytest.mark.parametrize("jsonl", ["HD-Track1-T3.jsonl", "HD-Track1-T3/HD-Track1-T3.jsonl"])
def test_the_test_tree_is_read(tmp_path: Path, jsonl: str) -> None:
    folder = tmp_path / "HD-Track1-Test" / "en"
    put(folder / jsonl, {"dialogue_id": "en_0001_0001", "turns": [{"turn_id": 1}, {"turn_id": 2}]})
    audio = [wav(folder / "HD-Track1-T3" / f"en_0001_0001_{n}.wav") for n in (1, 2)]
    [dialogue] = read_all(tmp_path)
    assert dialogue.name == "HD-Track1-T3_en_0001_0001"
    assert (dialogue.split, dialogue.tasks, dialogue.language) == ("test", ("T3",), Language.EN)
    assert dialogue.flags == ("inference_only",)
    assert [(t.speaker, t.text, t.audio.uri) for t in dialogue.turns] == [
        ("user", None, audio[0]),
        ("user", None, audio[1]),
    ]


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("task2_3/turn_1.wav", "task2_3/en_0001_0001/turn_1.wav"),
        ("task2_3/turn_1.wav", "task2_3/en_0001_0001/turn1.wav"),
        ("task2_3/turn_1.wav", "task2_3/en_0001_0001/turn_01.wav"),
        ("task2_3/turn_1.wav", "task2_3/en_0001_0001_1.wav"),
        ("task2_3/turn_1.wav", "en_0001_0001_1.wav"),
        ("task2_3/turn_1.wav", "task2_3/turn_1.wav"),
        ("turn_1.wav", "task2_3/turn_1.wav"),
        ("en/task2_3/turn_1.wav", "task2_3/turn_1.wav"),
        ("train/en/task2_3/x.wav", "task2_3/x.wav"),
        ("audio/en_0001_0001/x.flac", "audio/en_0001_0001/x.flac"),
        (None, "task2_3/en_0001_0001/turn_1.wav"),
    ],
)
def test_audio_is_found_in_every_published_form(
    tmp_path: Path, named: str | None, there: str
) -> None:
    folder = tmp_path / "train" / "en"
    more = {} if named is None else {"split_audio_file": named}
    put(folder / "task2_3.jsonl", {"dialogue_id": "en_0001_0001", "turns": [turn(1, **more)]})
    audio = wav(folder / there)
    [dialogue] = read_all(tmp_path)
    assert Path(dialogue.turns[0].audio.uri).resolve() == Path(audio).resolve()


def test_a_path_that_fits_every_dialogue_does_not_win_over_its_own_folder(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "en"
    row = turn(1, split_audio_file="task2_3/turn_1.wav")
    put(
        folder / "task2_3.jsonl",
        {"dialogue_id": "en_0001_0001", "turns": [row]},
        {"dialogue_id": "en_0001_0002", "turns": [row]},
    )
    wav(folder / "task2_3" / "turn_1.wav")
    own = [wav(folder / "task2_3" / f"en_0001_000{n}" / "turn_1.wav") for n in (1, 2)]
    assert [dialogue.turns[0].audio.uri for dialogue in read_all(tmp_path)] == own


@pytest.mark.parametrize(
    "there", ["turn_03_response.wav", "turn3_response.wav", "turn_3_response.wav"]
)
def test_an_answer_with_audio_is_found_in_its_three_forms(tmp_path: Path, there: str) -> None:
    folder = tmp_path / "train" / "en"
    answer = {"response_text": "I see.", "response_audio": "task2_3_model/turn_x_response.wav"}
    put(folder / "task2_3.jsonl", {"dialogue_id": "en_0001_0001", "turns": [turn(3, **answer)]})
    audio = wav(folder / "task2_3_model" / "en_0001_0001" / there)
    [dialogue] = read_all(tmp_path)
    assert (dialogue.turns[1].text, dialogue.turns[1].audio.uri) == ("I see.", audio)


def test_named_audio_that_is_missing_is_refused_with_the_places(tmp_path: Path) -> None:
    row = {"dialogue_id": "en_0001_0001", "turns": [turn(1, split_audio_file="a/turn_1.wav")]}
    file = put(tmp_path / "train" / "en" / "task2_3.jsonl", row)
    with pytest.raises(BadInput) as caught:
        read_all(tmp_path)
    assert caught.value.code == "audio_missing"
    assert caught.value.message.startswith(f"{file}:1: turns.0: no audio file; looked for ")
    assert "task2_3/en_0001_0001_1.wav" in caught.value.message


@pytest.mark.parametrize(
    ("dialogue_id", "split", "is_excluded"),
    [
        ("task2_4_en_0002_0014", "dev", True),
        ("task2_3_zh_0015_0001", "dev", True),
        ("task2_3_zh_0015", "test", True),
        ("task2_3_zh_00151", "dev", False),
        ("task2_4_en_0002_0014", "train", False),
    ],
)
def test_the_exclusion_list_sets_dialogues_aside(
    tmp_path: Path, dialogue_id: str, split: str, is_excluded: bool
) -> None:
    put(tmp_path / split / "en" / "task2.jsonl", {"dialogue_id": dialogue_id, "turns": [turn(1)]})
    if not is_excluded:
        assert [dialogue.name for dialogue in read_all(tmp_path)] == [dialogue_id]
        return
    with pytest.raises(Filtered) as caught:
        read_all(tmp_path)
    assert caught.value.code == "excluded_by_list"
    kept = read_all(tmp_path, humdial=HumdialSettings(exclude=()))
    assert [dialogue.name for dialogue in kept] == [dialogue_id]


def test_an_id_without_task_is_excluded_by_the_file_it_stands_in(tmp_path: Path) -> None:
    row = {"dialogue_id": "en_0002_0014", "turns": [turn(1)]}
    put(tmp_path / "dev" / "en" / "task2_4.jsonl", row)
    with pytest.raises(Filtered):
        read_all(tmp_path)


def test_the_numbering_of_tasks_is_a_setting(tmp_path: Path) -> None:
    row = {"dialogue_id": "zh_0001_0001", "turns": [turn(1)]}
    put(tmp_path / "dev_jsonl" / "zh" / "task1_3.jsonl", row)
    [dialogue] = read_all(tmp_path, humdial=HumdialSettings(tasks={"task1": "T1"}))
    assert (dialogue.tasks, dialogue.split) == (("T1",), "dev")
    [unknown] = read_all(tmp_path, humdial=HumdialSettings(tasks={}))
    assert (unknown.tasks, unknown.flags) == ((), ("unknown_task",))


def test_the_same_id_in_two_tasks_makes_two_dialogues(tmp_path: Path) -> None:
    row = {"dialogue_id": "zh_0001_0001", "turns": [turn(1)]}
    for stem in ("task2_3", "task3_3"):
        put(tmp_path / "train" / "zh" / f"{stem}.jsonl", row)
    names = [dialogue.name for dialogue in read_all(tmp_path)]
    assert names == ["task2_3_zh_0001_0001", "task3_3_zh_0001_0001"]


def test_turns_are_put_in_the_order_of_their_ids(tmp_path: Path) -> None:
    row = {"dialogue_id": "en_1_1", "turns": [turn(2, response_text="b"), turn(1), turn(10)]}
    put(tmp_path / "train" / "en" / "task2_3.jsonl", row)
    [dialogue] = read_all(tmp_path)
    assert [t.source_turn_id for t in dialogue.turns] == ["1", "2", "2_response", "10"]
    assert dialogue.flags == ("reordered",)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"turns": [turn(1)]}, "missing_key"),
        ({"dialogue_id": "en_1_1", "turns": []}, "missing_key"),
        ({"dialogue_id": "en_1_1", "turns": ["a"]}, "broken_turn"),
        ({"dialogue_id": "en_1_1", "turns": [{"turn_id": 1, "text": 5}]}, "broken_turn"),
        ({"dialogue_id": "en_1_1", "turns": [turn(1), turn(1)]}, "duplicate_turn"),
        ({"dialogue_id": "en_1_1", "turns": [{"turn_id": 1}]}, "audio_missing"),
        ({"dialogue_id": "en_1\t1", "turns": [turn(1)]}, "bad_id"),
    ],
)
def test_a_wrong_row_is_refused(tmp_path: Path, row: dict, code: str) -> None:
    put(tmp_path / "train" / "en" / "task2_3.jsonl", row)
    with pytest.raises(BadInput) as caught:
        read_all(tmp_path)
    assert caught.value.code == code
    assert "task2_3.jsonl:1: " in caught.value.message


def test_an_empty_tree_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"looked for train/\{zh,en\}/task"):
        read_all(tmp_path)


@pytest.mark.parametrize(
    ("split", "dialogue_id", "script"),
    [
        ("train", "en_0003_0001", "train/en_0003"),
        ("train", "task2_4_en_0003_0014", "train/en_0003"),
        ("dev", "en_0003_0001", "dev/en_0003"),
        ("train", "task2_3_zh_0015", "train/zh_0015"),
        ("train", "mine", None),
    ],
)
def test_the_group_of_an_id_is_the_script_whatever_the_task(
    tmp_path: Path, split: str, dialogue_id: str, script: str | None
) -> None:
    row = {"dialogue_id": dialogue_id, "turns": [turn(1)]}
    put(tmp_path / split / "en" / "task2_3.jsonl", row)
    (dialogue,) = read_all(tmp_path)
    assert dialogue.script == script
