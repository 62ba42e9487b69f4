"""What is read is kept by shard, comes back as it was, and tells when it has changed."""

import os
from pathlib import Path

from ieat.pipeline import spill as module
from ieat.pipeline.spill import Spill, parse_spilled, spilled_lines
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SetAside
from tests.builders import aside, tone
from tests.dialogues import dialogue


def kept(folder: Path, *records: Dialogue | SetAside) -> Spill:
    folder.mkdir(exist_ok=True)
    spill = Spill(folder)
    for record in records:
        spill.add(3, record)
    spill.flush()
    return spill


def test_records_come_back_in_their_order_whatever_their_words(tmp_path: Path) -> None:
    records = [
        dialogue([("ann", "one\u2028line\x85 \r still\n"), ("bob", "嗯")], with_audio=False),
        aside("d2"),
        dialogue([("ann", "Two")], name="d3", with_audio=False),
    ]
    spill = kept(tmp_path, *records)
    assert [parse_spilled(line) for line in spilled_lines(spill.files((2, 3)))] == records
    assert (spill.count(2), spill.count(3)) == (0, 3)


def test_nothing_is_lost_where_more_comes_than_the_buffer_holds(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(module, "BUFFER_BYTES", 100)
    records = [dialogue([("ann", f"Turn {n}")], name=f"d{n}", with_audio=False) for n in range(9)]
    spill = kept(tmp_path, *records)
    assert [parse_spilled(line) for line in spilled_lines(spill.files((3,)))] == records


def test_equal_records_have_equal_digests_and_others_do_not(tmp_path: Path) -> None:
    said = dialogue([("ann", "One")], with_audio=False)
    other = dialogue([("ann", "Two")], with_audio=False)
    assert kept(tmp_path / "a", said).digest(3) == kept(tmp_path / "b", said).digest(3)
    assert kept(tmp_path / "a", said).digest(3) != kept(tmp_path / "b", other).digest(3)
    assert kept(tmp_path / "a", said).digest(2) == ""


def test_a_sound_that_is_replaced_or_removed_changes_the_digest(tmp_path: Path) -> None:
    span = tone(tmp_path / "ann.wav")
    said = dialogue([("ann", "One")])
    said = said.model_copy(update={"turns": (said.turns[0].model_copy(update={"audio": span}),)})
    digests = [kept(tmp_path / "a", said).digest(3)]
    os.utime(tmp_path / "ann.wav", ns=(1, 1))
    digests.append(kept(tmp_path / "a", said).digest(3))
    (tmp_path / "ann.wav").unlink()
    digests.append(kept(tmp_path / "a", said).digest(3))
    assert len(set(digests)) == 3
