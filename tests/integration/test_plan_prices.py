"""What a plan says of tokens and money, against what the run then pays."""

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soundfile as sf

from ieat.pipeline.main import build
from ieat.pipeline.plan import FLAC_BYTES, plan_build
from ieat.pipeline.plan_report import StagePlan
from ieat.pipeline.store.withdrawn import remember_withdrawn
from tests.openai_server import OpenAIServer, Reply, Request, chat, transcription
from tests.sounds import speech, write
from tests.talk_build import build_config
from tests.talk_script import asked, endpoint, good_answer, manifest_line

PRICES = {"input": 2.0, "cached_input": 0.5, "output": 8.0}
NOBODY = "http://127.0.0.1:9/v1"
"""Where nobody answers."""
WORDS = "and then we walked a long way home through the rain because nobody came to fetch us"


def billed(request: Request) -> Reply:
    """Answer with the counts of a tokenizer that nobody here knows: words, and a bit."""
    answer = good_answer(asked(request))
    prompt = 17 + 9 * len(request.words.split()) // 7
    return chat(
        answer,
        usage={
            "prompt_tokens": prompt,
            "completion_tokens": len(str(answer).split()) + 11,
            "prompt_tokens_details": {"cached_tokens": prompt // 3},
        },
    )


def talks(count: int) -> list[str]:
    """Return dialogues of very different lengths."""
    return [
        manifest_line(
            f"d{n}",
            ("ann", f"My bag {n} is gone " + WORDS[: 7 * (n % 12)]),
            ("bob", "Oh " * (1 + n % 5)),
            ("ann", f"They stole {n}"),
            ("bob", "I see"),
        )
        for n in range(count)
    ]


def configured(folder, base_url, **changes):
    settings = {"prices": PRICES}
    return build_config(folder, talks(40), base_url, language_model_settings=settings, **changes)


def test_after_a_few_dialogues_a_plan_is_within_a_tenth_of_what_the_run_pays(tmp_path):
    with OpenAIServer(billed) as server:
        config = configured(tmp_path, server.base_url)
        build(config.model_copy(update={"limit": 5}))
        plan = plan_build(config)
        label = plan.stages["label"]
        assert (label.num_stored, label.num_known, label.is_bounded) == (10, 70, False)
        report = build(config)
    [spent] = [spent for (stage, _), spent in report.ledger.items() if stage == "label"]
    assert label.tokens_in == pytest.approx(spent.prompt_tokens, rel=0.1)
    assert label.tokens_out == pytest.approx(spent.completion_tokens, rel=0.1)
    assert label.usd == pytest.approx(spent.usd, rel=0.1)
    # What hangs on answers that are not there is bounded from above.
    [composed] = [spent for (stage, _), spent in report.ledger.items() if stage == "compose"]
    compose = plan.stages["compose"]
    assert compose.is_bounded
    assert compose.num_possible == composed.answered == 70
    assert compose.tokens_in >= composed.prompt_tokens
    assert compose.usd >= composed.usd


def test_a_first_plan_says_that_nothing_is_known_yet(tmp_path):
    plan = plan_build(configured(tmp_path, NOBODY, max_usd=0.01))
    assert (plan.uncalibrated, plan.stages["label"].is_bounded) == ({"openai:fake-1"}, True)
    said = plan.describe()
    assert "No answer of openai:fake-1 is stored yet: build with --limit 5 first" in said
    assert "max_usd 0.01 may end a run before that; the same command goes on." in said
    # Answers are reckoned at their longest: 80 questions of 1024 tokens.
    assert plan.stages["label"].tokens_out == 80 * 1024
    assert not (tmp_path / "out.ieat").exists()


def test_a_finished_build_has_nothing_to_pay(tmp_path):
    with OpenAIServer(endpoint) as server:
        config = configured(tmp_path, server.base_url)
        build(config)
    plan = plan_build(config)
    assert plan.total == StagePlan(num_stored=240)
    assert [(s.num_stored, s.num_known, s.num_possible) for s in plan.stages.values()] == [
        (80, 0, 0), (80, 0, 0), (80, 0, 0),
    ]  # fmt: skip
    assert plan.describe().splitlines()[-2:] == [
        f"{'total':<12}{'240':>14}{'0':>14}{'0':>14}{'0':>14}{'':>14}",
        "Every answer is in the store.",
    ]


def test_answers_of_another_build_say_how_long_answers_are(tmp_path):
    with OpenAIServer(billed) as server:
        config = configured(tmp_path, server.base_url)
        build(config.model_copy(update={"limit": 10}))
        # The same store, and not one dialogue in common.
        (tmp_path / "talks.jsonl").write_text("\n".join(talks(40)[20:]) + "\n")
        plan = plan_build(config.model_copy(update={"output": str(tmp_path / "other"),
                                                    "store": config.store_folder}))  # fmt: skip
        label = plan.stages["label"]
        assert (label.num_stored, label.num_known, label.is_bounded) == (0, 40, False)
        assert plan.uncalibrated == set()
        report = build(config.model_copy(update={"output": str(tmp_path / "other"),
                                                 "store": config.store_folder}))  # fmt: skip
    [spent] = [spent for (stage, _), spent in report.ledger.items() if stage == "label"]
    assert label.usd == pytest.approx(spent.usd, rel=0.1)


def clips(folder: Path, count: int) -> list[str]:
    """Return dialogues of two clips each, from 1 to 3 s long."""
    lines = []
    for n in range(count):
        turns = []
        for turn, speaker in enumerate(("ann", "bob")):
            path = folder / f"{n}-{turn}.wav"
            start = 800 * n + 400 * turn
            write(path, speech()[start : start + 16_000 + 1_600 * ((7 * n + turn) % 20)])
            turns.append({"speaker": speaker, "audio": path.name})
        lines.append(json.dumps({"dialogue_id": f"d{n}", "language": "en", "turns": turns}))
    return lines


def by_tokens(request: Request) -> Reply:
    """Transcribe as a model that bills tokens: 10 for a second of sound, 4 for its words."""
    words = "My bag is gone"
    with sf.SoundFile(io.BytesIO(request.audio)) as sound:
        seconds = sound.frames / sound.samplerate
    usage = {
        "type": "tokens",
        "input_tokens": round(10 * seconds),
        "input_token_details": {"audio_tokens": round(10 * seconds), "text_tokens": 0},
        "output_tokens": round(4 * seconds),
    }
    return transcription(words, language="english", usage=usage)


def by_length(request: Request) -> Reply:
    """Transcribe as a model that bills the length of the sound and counts no tokens."""
    return transcription("My bag is gone", language="english")


@pytest.mark.parametrize(
    ("script", "prices"),
    [(by_tokens, {"input": 1.0, "audio_input": 3.0, "output": 5.0}),
     (by_length, {"audio_minute": 0.006})],
)  # fmt: skip
def test_transcriptions_are_within_a_tenth_however_they_are_billed(tmp_path, script, prices):
    with OpenAIServer(script) as server:
        config = build_config(
            tmp_path, clips(tmp_path, 12), server.base_url, recognizer="openai:m",
            recognizer_settings={"prices": prices}, labeler="linear", attributor="extractive",
            response="corpus",
        )  # fmt: skip
        first = plan_build(config)
        assert first.stages["transcribe"].is_bounded
        build(config.model_copy(update={"limit": 3}))
        plan = plan_build(config).stages["transcribe"]
        assert (plan.num_stored, plan.num_known, plan.is_bounded) == (6, 18, False)
        report = build(config)
    [spent] = report.ledger.values()
    assert spent.answered == 18
    assert plan.usd == pytest.approx(spent.usd, rel=0.1)
    assert plan.tokens_in == pytest.approx(spent.prompt_tokens, rel=0.1)
    assert plan.tokens_out == pytest.approx(spent.completion_tokens, rel=0.1)
    assert first.total.usd >= spent.usd


def test_the_sound_of_the_tables_is_that_of_the_rows_that_are_written(tmp_path):
    path = tmp_path / "turn.wav"
    write(path, speech()[:32_000])
    turns = [
        {"speaker": ("ann", "bob")[n % 2], "audio": path.name, "text": "My bag is gone"}
        for n in range(8)
    ]
    line = json.dumps({"dialogue_id": "d", "language": "en", "turns": turns})
    values = {"labeler": "linear", "attributor": "extractive", "response": "corpus"}
    # Targets at turns 0, 2, 4, 6 of 2 s; 5 s before them are two of the user's turns.
    config = build_config(tmp_path, [line], NOBODY, max_context_seconds=5.0, **values)
    assert plan_build(config).bytes_needed == FLAC_BYTES * (8 * 2 + 2 + 4 + 6 + 6)
    report = build(config)
    assert report.manifest.books.targets.written == 4
    assert (
        sum(
            len(row["audios"])
            for file in (tmp_path / "out" / "stage2").glob("*.parquet")
            for row in pq.read_table(file, columns=["audios"]).to_pylist()
        )
        == 9
    )
    referred = config.model_copy(update={"stage2_audio": "reference"})
    assert plan_build(referred).bytes_needed == FLAC_BYTES * 8 * 2


def test_targets_whose_state_stays_unknown_take_no_room(tmp_path):
    path = tmp_path / "turn.wav"
    write(path, speech()[:32_000])
    turns = [
        {"speaker": speaker, "audio": path.name, "text": "Yes", "emotion": emotion}
        for speaker, emotion in (("ann", None), ("bob", None), ("ann", "sad"), ("bob", None))
    ]
    line = json.dumps({"dialogue_id": "d", "language": "en", "turns": turns})
    config = build_config(
        tmp_path, [line], NOBODY, labeler="gold", attributor="extractive", response="corpus"
    )
    plan = plan_build(config)
    assert (plan.num_targets, plan.is_disk_bounded) == (2, False)
    # The second target shows both turns of its user.
    assert plan.bytes_needed == FLAC_BYTES * (8 + 4)


def test_dialogues_that_cannot_be_used_are_told_and_not_counted(tmp_path):
    config = build_config(tmp_path, [*talks(2), '{"dialogue_id": "x"'], None, replay=True)
    plan = plan_build(config)
    assert (plan.num_dialogues, list(plan.broken)) == (2, ["broken_json"])
    Path(config.store_folder).mkdir()
    remember_withdrawn(config.store_folder, ["talks/d1"])
    plan = plan_build(config)
    assert (plan.num_dialogues, sorted(plan.broken)) == (1, ["broken_json", "withdrawn"])
