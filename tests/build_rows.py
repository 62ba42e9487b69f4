"""Build the tables of a small finished build by hand, through the records themselves."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ieat.schemas.base import Value
from ieat.schemas.build import Books, Manifest, ShardFile, UnitCounts
from ieat.schemas.cells import (
    CauseCell,
    EvidenceCell,
    MessageCell,
    ModesCell,
    ProvenanceCell,
    ResponseCell,
    ShiftCell,
    SpanCell,
    StateCell,
    ThinkingCell,
    TurnCell,
)
from ieat.schemas.emotion import Emotion, EmotionLabel, VoiceCues
from ieat.schemas.rows import DeadLetterRow, DialogueRow, Stage2Row

PROVENANCE = ProvenanceCell(
    recognizer_id="moonshine:tiny-en",
    labeler_id="linear:1",
    attributor_id="extractive",
    writer_id=None,
    prompt_ids=("thinking@1.en",),
    prompt_sha256s=("0" * 64,),
    response_keys=(),
)
WORDS = (
    ("anderson", "You couldn't pilot your way out of a paper bag.", Emotion.NEUTRAL),
    ("joe", "At least I don't look like I need to wear one.", Emotion.HAPPY),
    (
        "anderson",
        "You're asking for trouble King. I'm going to run you out of town.",
        Emotion.ANGER,
    ),
    ("joe", "I've heard that you're a pretty fast runner.", None),
    ("anderson", "You're beginning to get on my nerves!", Emotion.ANGER),
    ("joe", "Oh yeah, you ain't seen nothing yet.", Emotion.FEAR),
)
THINKING = (
    "The user was calm at first and is angry now. He says that I am asking for trouble, "
    "as I made fun of his looks. I keep my temper and do not give in."
)


def span(index: int, uri: str = "and1/audio.flac") -> SpanCell:
    """The place of a turn: four seconds each, at 11025 Hz."""
    return SpanCell(
        turn_index=index,
        uri=uri,
        source_sha256="0" * 64,
        channel=None,
        source_rate=11025,
        start_sample=44100 * index,
        end_sample=44100 * (index + 1),
        duration=4.0,
    )


def turn(index: int, speaker: str, clean: str, emotion: Emotion | None) -> TurnCell:
    """One turn with sound; turn 2 sounds louder than before, and its labels disagree."""
    is_loud = index == 2
    said = EmotionLabel(source="text", labeler_id="linear:1", emotion=emotion, confidence=0.6)
    cues = VoiceCues(
        turn_index=index,
        level=-20.0,
        pitch=120.0,
        pitch_range=4.0,
        tilt=-3.0,
        rate=3.0,
        num_reference_turns=3,
        level_change=4.0,
        pitch_change=0.0,
        rate_change=1.0,
        arousal=1.2,
        words=("louder", "faster"),
    )
    gold = EmotionLabel(source="gold", labeler_id="gold", emotion=Emotion.DISGUST)
    return TurnCell(
        turn_index=index,
        source_turn_id=str(index),
        speaker=speaker,
        audio=span(index),
        clean=clean,
        tagged=clean,
        source_text=clean,
        words=(),
        confidence=None,
        gold=gold if is_loud else None,
        text=said,
        voice=None,
        emotion=emotion,
        intensity=None,
        conflict=is_loud,
        cues=cues if is_loud else None,
        flags=("implausible_rate",) if index == 4 else (),
    )


def evidence(
    index: int, quote: str, words: Sequence[tuple[str, str, Emotion | None]]
) -> EvidenceCell:
    """A quote at the place where it stands in its turn."""
    speaker, clean, _ = words[index]
    start = clean.index(quote)
    return EvidenceCell(
        turn_index=index,
        speaker=speaker,
        quote=quote,
        start=start,
        end=start + len(quote),
        audio_uri="and1/audio.flac",
        audio_channel=None,
        audio_start=4.0 * index,
        audio_end=4.0 * (index + 1),
        is_word_timed=False,
    )


def cause(quotes: tuple[EvidenceCell, ...], turn_index: int, speaker: str) -> CauseCell:
    """Why a speaker is angry."""
    return CauseCell.model_validate(
        {
            "turn_index": turn_index,
            "speaker": speaker,
            "emotion": "anger",
            "intensity": "high",
            "event": "The other one made fun of how he looks.",
            "appraisal": None,
            "kind": "inter-personal" if quotes else "latent",
            "evidence": quotes,
        }
    )


def dialogue(name: str = "and1") -> DialogueRow:
    """An English quarrel of six turns with one cause, three quotes and a gap."""
    dialogue_id = f"queen/{name}"
    turns = tuple(turn(index, *said) for index, said in enumerate(WORDS))
    return DialogueRow.model_validate(
        {
            "row_id": dialogue_id,
            "dialogue_id": dialogue_id,
            "corpus": "queen",
            "language": "en",
            "split": "train",
            "corpus_split": "train",
            "speaker_ids": (),
            "script_ids": (),
            "license": "freeware",
            "source": "manifest.jsonl:1",
            "source_sha256": None,
            "tasks": (),
            "turns": turns,
            "shifts": (
                ShiftCell(
                    speaker="anderson",
                    from_turn=0,
                    turn_index=2,
                    from_emotion=Emotion.NEUTRAL,
                    to_emotion=Emotion.ANGER,
                    direction="worse",
                ),
                ShiftCell(
                    speaker="joe",
                    from_turn=1,
                    turn_index=5,
                    from_emotion=Emotion.HAPPY,
                    to_emotion=Emotion.FEAR,
                    direction="worse",
                ),
            ),
            "causes": (
                cause(
                    (
                        evidence(1, "I don't look like I need to wear one", WORDS),
                        evidence(2, "You're asking for trouble", WORDS),
                    ),
                    2,
                    "anderson",
                ),
                cause((), 4, "anderson"),
            ),
            "failures": ("target:4:wrong_language",),
            "provenance": PROVENANCE,
            "flags": (),
        }
    )


def chinese_dialogue() -> DialogueRow:
    """A Mandarin dialogue of two turns without sound, its words wider than a line."""
    words = (
        (
            "小明",
            "你怎么又迟到了?我在外面等了你整整一个小时,天又那么冷,手机也快没电了。",
            Emotion.ANGER,
        ),
        ("小红", "对不起,路上堵车堵得厉害。", Emotion.SAD),
    )
    turns = tuple(
        turn(index, *said).model_copy(update={"audio": None}) for index, said in enumerate(words)
    )
    quote = evidence(0, "我在外面等了你整整一个小时", words)
    return dialogue("zh").model_copy(
        update={
            "turns": turns,
            "shifts": (),
            "causes": (
                cause((quote,), 0, "小明").model_copy(update={"event": "对方又迟到了一个小时。"}),
            ),
            "failures": (),
        }
    )


def target(name: str = "and1", turn_index: int = 2) -> Stage2Row:
    """A target of the quarrel, without its clips."""
    dialogue_id = f"queen/{name}"
    return Stage2Row.model_validate(
        {
            "row_id": f"{dialogue_id}/{turn_index:03d}/stage2",
            "dialogue_id": dialogue_id,
            "turn_index": turn_index,
            "user_speaker": WORDS[turn_index][0],
            "answering_speaker": WORDS[turn_index + 1][0],
            "language": "en",
            "split": "train",
            "license": "freeware",
            "messages": (
                MessageCell(role="user", kind="listen", content="<audio>", loss=False),
                MessageCell(role="assistant", kind="think", content=THINKING, loss=True),
            ),
            "audios": ({"bytes": b"fLaC", "path": "clip.flac"},),
            "audio_spans": (span(turn_index),),
            "thinking": ThinkingCell(
                text=THINKING,
                template_id="thinking@1.en",
                template_sha256="0" * 64,
                state_turns=(0, 2),
                causes=(),
            ),
            "response": ResponseCell(
                text=WORDS[turn_index + 1][1],
                source="corpus",
                style=None,
                conditioned_on=(),
                audio_spans=(span(turn_index + 1),),
            ),
            "trajectory_so_far": (
                StateCell(
                    turn_index=0, emotion=Emotion.NEUTRAL, intensity=None, chosen_from="text"
                ),
                StateCell(turn_index=2, emotion=Emotion.ANGER, intensity=None, chosen_from="text"),
            ),
            "trainable": ModesCell(
                explicit=False,
                injected=False,
                implicit=False,
                reasons=("baseline_labeler", "baseline_attributor", "corpus_response"),
            ),
            "provenance": PROVENANCE,
            "flags": ("state_gaps",),
        }
    )


def dead_letter(name: str, code: str, message: str) -> DeadLetterRow:
    """A dialogue that failed."""
    return DeadLetterRow(
        row_id=f"hear:queen/{name}",
        unit="dialogue",
        unit_id=f"queen/{name}",
        dialogue_id=f"queen/{name}",
        source=f"manifest.jsonl:{name}",
        table="dialogues",
        stage="hear",
        code=code,
        message=message,
        record="{}",
    )


def write_tables(out: Path, tables: dict[str, Sequence[Value]], num_shards: int = 2) -> None:
    """Write rows as a build does: some shards a table, rows in order of their ids."""
    for table, rows in tables.items():
        (out / table).mkdir(parents=True)
        for shard in range(num_shards):
            read = [plain(row.model_dump()) for row in rows[shard::num_shards]]
            if not read:
                continue
            file = out / table / f"train-{shard:05d}-of-{num_shards:05d}.parquet"
            pq.write_table(pa.Table.from_pylist(read), file)


def plain(value: object) -> object:
    """Turn enums into their words and tuples into lists, and leave bytes as they are."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return getattr(value, "value", value)


def write_manifest(out: Path) -> None:
    """Write the books of a build of three dialogues, one of which failed."""
    manifest = Manifest(
        books=Books(
            dialogues=UnitCounts(read=3, written=2, dead={"audio_missing": 1}),
            turns=UnitCounts(read=8, written=8),
            targets=UnitCounts(read=4, written=2, filtered={"state_unknown": 2}),
        ),
        shards=(
            ShardFile(
                table="_dead_letters",
                split="all",
                file="_dead_letters/all-00000-of-00001.parquet",
                num_rows=1,
                num_bytes=1,
                sha256="0" * 64,
            ),
        ),
        codes={"dialogue:audio_missing": 1},
        not_configured=(),
    )
    (out / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")


def write_run(out: Path) -> None:
    """Write how the last run went: two stages asked one engine, another gave stored words."""
    asked = {"engine": "openai:m", "answered": 3, "prompt_tokens": 1000, "completion_tokens": 200}
    run = {
        "started": "2026-01-02T03:04:05+00:00",
        "seconds": 61.5,
        "asked": [
            {"stage": "transcribe", "engine": "moonshine:tiny-en", "stored": 8},
            {"stage": "label", **asked, "usd": 0.01, "tokens_per_second": 19.5},
            {"stage": "attribute", **asked, "stored": 1, "usd": 0.02, "usd_stored": 0.01},
        ],
        "money": {"usd": 0.03, "usd_paid_before": 0.01, "usd_per_dialogue": 0.02},
    }
    (out / "run.json").write_text(json.dumps(run), encoding="utf-8")
