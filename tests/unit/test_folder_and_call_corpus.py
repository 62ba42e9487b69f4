"""The layouts `folder` and `call`: files that are turns, and recordings that are cut."""

from pathlib import Path

import numpy as np
import pytest

from ieat.pipeline.config import CallSettings, FolderSettings, InputSettings
from ieat.pipeline.corpora import open_corpus
from ieat.pipeline.failures import BadAudio, BadInput, ConfigError
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Dialogue, Language
from tests.sounds import QUEEN, speech, tone, write


def read_all(path: Path, layout: str, **settings: object) -> list[Dialogue]:
    values = {"language": "en", **settings}
    corpus = open_corpus(InputSettings(path=str(path), layout=layout, **values), 0)
    return [corpus.read(unit) for unit in corpus.units()]


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def test_a_subfolder_is_a_dialogue_and_a_file_a_turn_in_natural_order(tmp_path: Path) -> None:
    names = ("turn10_joe.mp3", "turn9_ann-lee.WAV", "turn11-joe.flac")
    touch(tmp_path / "c" / "d10", *names, "LICENSE", "notes.txt", ".turn12_joe.mp3", "gold.json")
    (tmp_path / "c" / "d10" / "turn10_joe.txt").write_text("\ufeffHello there.\n")
    touch(tmp_path / "c" / "d9", "00_joe.mp3")
    touch(tmp_path / "c" / ".hidden", "00_joe.mp3")
    touch(tmp_path / "c", "LICENCE.txt")
    d9, d10 = read_all(tmp_path / "c", "folder", license="MIT")
    assert (d9.dialogue_id, d9.language, d9.split, d9.license) == (
        "c/d9",
        Language.EN,
        "train",
        "MIT",
    )
    assert d10.source == str(tmp_path / "c" / "d10")
    assert [(turn.index, turn.source_turn_id, turn.speaker, turn.text) for turn in d10.turns] == [
        (0, "turn9_ann-lee", "ann-lee", None),
        (1, "turn10_joe", "joe", "Hello there."),
        (2, "turn11-joe", "joe", None),
    ]
    assert d10.turns[1].audio == AudioSpan(uri=str(tmp_path / "c" / "d10" / "turn10_joe.mp3"))
    assert d10.flags == ()


def test_the_pattern_can_be_set(tmp_path: Path) -> None:
    touch(tmp_path / "d", "A-left-1.wav", "B-right-2.wav")
    settings = FolderSettings(pattern=r"[AB]-(?P<speaker>\w+)-(?P<index>\d+)")
    [dialogue] = read_all(tmp_path, "folder", folder=settings)
    assert [turn.speaker for turn in dialogue.turns] == ["left", "right"]


def test_a_missing_number_is_flagged(tmp_path: Path) -> None:
    touch(tmp_path / "d", "1_a.wav", "2_b.wav", "4_b.wav")
    [dialogue] = read_all(tmp_path, "folder")
    assert dialogue.flags == ("missing_turns",)


@pytest.mark.parametrize(
    ("names", "code", "words"),
    [
        (("0_a.wav", "intro.wav"), "file_name", "'intro.wav' does not fit the pattern"),
        (("0_a.wav", "1.wav"), "file_name", "no speaker in the name '1.wav'"),
        (("0_a.wav", "00_b.wav"), "duplicate_turn", "turn 0 stands twice: 0_a.wav, 00_b.wav"),
        (("notes.txt",), "no_audio", "no audio file"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused(
    tmp_path: Path, names: tuple[str, ...], code: str, words: str
) -> None:
    touch(tmp_path / "d", *names)
    with pytest.raises(BadInput) as caught:
        read_all(tmp_path, "folder")
    assert caught.value.code == code
    assert caught.value.message.startswith(f"{tmp_path / 'd'}: ")
    assert words in caught.value.message


def test_links_in_circles_are_not_followed(tmp_path: Path) -> None:
    touch(tmp_path / "d", "0_a.wav")
    (tmp_path / "d" / "self").symlink_to("self")
    (tmp_path / "loop").symlink_to("loop")
    [dialogue] = read_all(tmp_path, "folder")
    assert dialogue.name == "d"


def test_mistakes_of_the_configuration_are_found_before_the_run(tmp_path: Path) -> None:
    for pattern, words in (("(", "no regular expression"), ("x", "lacks the group index")):
        with pytest.raises(ConfigError, match=words):
            read_all(tmp_path, "folder", folder=FolderSettings(pattern=pattern))
    for layout in ("folder", "call"):
        with pytest.raises(ConfigError, match="no language"):
            read_all(tmp_path, layout, language=None)
        with pytest.raises(ConfigError, match="'fr' is not supported"):
            read_all(tmp_path, layout, language="fr")
        with pytest.raises(ConfigError, match="looked for"):
            read_all(tmp_path, layout)
        with pytest.raises(ConfigError, match="nothing at"):
            read_all(tmp_path / "nothing", layout)
    with pytest.raises(ConfigError, match="each name once"):
        read_all(tmp_path, "call", call=CallSettings(speakers=("a", "a")))


def test_a_real_dialogue_on_two_channels_is_cut_into_its_turns() -> None:
    path = QUEEN / "bud2" / "audio_two_channel_ulaw8k.wav"
    [dialogue] = read_all(path, "call", corpus="queen", call=CallSettings(speakers=("joe", "bud")))
    # Start of each turn by the script that the audio was made from.
    script = [
        0.3,
        2.202,
        4.344,
        7.02,
        8.667,
        14.718,
        21.392,
        23.595,
        28.048,
        31.388,
        35.682,
        37.578,
    ]
    assert dialogue.dialogue_id == "queen/audio_two_channel_ulaw8k"
    assert [turn.speaker for turn in dialogue.turns] == ["joe", "bud"] * 6
    assert [turn.audio.channel for turn in dialogue.turns] == [0, 1] * 6
    assert [turn.audio.start for turn in dialogue.turns] == pytest.approx(script, abs=0.25)
    assert not any(turn.is_given for turn in dialogue.turns)
    assert dialogue.turns[0].source_turn_id == f"0:{dialogue.turns[0].audio.start:.3f}"


def test_overlapping_speech_of_two_channels_is_kept(tmp_path: Path) -> None:
    left = np.concatenate([speech()[:64_000], np.zeros(64_000, np.float32)])
    right = np.concatenate([np.zeros(24_000, np.float32), speech()[:104_000]])
    path = tmp_path / "calls" / "a" / "one.wav"
    write(path, np.stack([left, right], axis=1))
    [dialogue] = read_all(tmp_path / "calls", "call")
    starts = [turn.audio.start for turn in dialogue.turns]
    assert dialogue.dialogue_id == "calls/a/one"
    assert starts == sorted(starts)
    assert {turn.speaker for turn in dialogue.turns} == {"left", "right"}
    assert dialogue.flags == ("overlapping",)


def test_recordings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "mono" / "a.wav", speech())
    with pytest.raises(BadInput, match="1 channels, 2 speakers") as caught:
        read_all(tmp_path / "mono", "call")
    assert caught.value.code == "wrong_channels"
    write(tmp_path / "buzz" / "a.wav", np.zeros((16_000, 2), np.float32) + tone(1.0)[:, None] / 99)
    with pytest.raises(BadInput) as caught:
        read_all(tmp_path / "buzz", "call")
    assert caught.value.code == "no_speech"
    touch(tmp_path / "broken", "a.wav")
    with pytest.raises(BadAudio) as broken:
        read_all(tmp_path / "broken", "call")
    assert broken.value.code == "audio_undecodable"
