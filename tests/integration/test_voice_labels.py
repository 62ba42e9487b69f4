"""Whole builds whose voices are heard by a server on loopback, over recorded speech."""

import io
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soundfile

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.encode import to_wav
from ieat.pipeline.check import check_build
from ieat.pipeline.config import InputSettings, load_config
from ieat.pipeline.main import build
from ieat.pipeline.output.verify import verify
from ieat.pipeline.plan import plan_build
from ieat.pipeline.stages.read import list_units, read_unit
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language
from tests.openai_server import OpenAIServer, chat
from tests.sounds import QUEEN
from tests.talk_script import endpoint, voice_answer

EAR = "openai-audio:ear"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the recorded dialogues once, with every turn heard; give configuration and requests."""
    folder = tmp_path_factory.mktemp("voices")
    with OpenAIServer(endpoint) as server:
        config = configured(folder, server.base_url)
        report = build(config)
        requests = list(server.requests)
        # Another folder with other shards asks nothing more.
        again = build(config.model_copy(update={"output": str(folder / "again"), "shards": 2}))
        assert server.count() == len(requests)
    assert (report.exit_code, again.exit_code) == (0, 0)
    return config, report, requests


def configured(folder, base_url, **changes):
    values = {
        "inputs": [{"path": str(QUEEN / "manifest.jsonl"), "corpus": "queen"}],
        "output": str(folder / "out"),
        "store": str(folder / "store"),
        "recognizer": "gold",
        "labeler": "linear",
        "attributor": "llm",
        "language_model": "openai:fake-1",
        "voice_labeler": EAR,
        "voice_labeler_settings": {"prices": {"input": 1.0, "audio_input": 10.0, "output": 2.0}},
        "user_speaker": "all",
        "labels": {"fusion": "weighted", "voice_weight": 2.0},
        "shards": 1,
    }
    return load_config(None, values | changes, base_url=base_url)


def turns_of(config):
    """Return each turn of the rows, with its row."""
    return [
        (row, turn)
        for row in pq.read_table(f"{config.output}/dialogues").to_pylist()
        for turn in row["turns"]
    ]


@pytest.fixture(scope="module")
def samples():
    """Decode every recorded turn; give its samples by dialogue and index."""
    settings = InputSettings(path=str(QUEEN / "manifest.jsonl"), corpus="queen")
    dialogues = [read_unit(unit, settings, "all") for unit in list_units((settings,), None)]
    return {
        (dialogue.dialogue_id, turn.index): decode_span(turn.audio)
        for dialogue in dialogues
        for turn in dialogue.turns
    }


def card_of(config):
    return Path(config.output, "README.md").read_text(encoding="utf-8")


def test_each_turn_is_sent_once_as_it_sounds_and_without_any_words(built, samples):
    config, _, requests = built
    questions = [request for request in requests if request.sounds]
    turns = [turn for _, turn in turns_of(config)]
    assert len(questions) == len(turns) > 50
    sent = sorted(request.sounds[0][1] for request in questions)
    assert sent == sorted(map(to_wav, samples.values()))
    lengths = sorted(soundfile.info(io.BytesIO(content)).duration for content in sent)
    assert lengths == pytest.approx(sorted(turn["audio"]["duration"] for turn in turns), abs=1e-3)
    prompt = PromptLibrary({}).prompt("voice", Language.EN).render({})
    for request in questions:
        assert len(request.sounds) == 1
        assert request.words == "\n".join(message.content for message in prompt)
        assert request.body["model"] == "ear"


def test_each_turn_has_the_label_of_its_own_sound(built, samples):
    config, _, _ = built
    for row, turn in turns_of(config):
        heard = voice_answer(samples[row["dialogue_id"], turn["turn_index"]])
        assert turn["voice"]["emotion"] == heard["emotion"]
        assert turn["voice"]["labeler_id"] == turn["voice_events"]["labeler_id"] == EAR
        assert turn["voice_events"]["events"] == heard["events"]
        assert turn["voice_events"]["response_keys"] == turn["voice"]["response_keys"]
        # The voice weighs double and is sure, so that it always outweighs the words.
        assert turn["emotion"] == heard["emotion"]
        assert turn["conflict"] == (
            turn["text"]["emotion"] not in (None, heard["emotion"])
            and turn["text"]["confidence"] >= 0.5
        )
    emotions = {turn["emotion"] for _, turn in turns_of(config)}
    assert emotions == {"anger", "sad"}


def test_stage_1_keeps_who_heard_what(built):
    config, _, _ = built
    found = {
        (row["dialogue_id"], turn["turn_index"]): turn["voice_events"]
        for row, turn in turns_of(config)
    }
    rows = pq.read_table(f"{config.output}/stage1").to_pylist()
    assert {
        (row["dialogue_id"], row["turn_index"]): row["attributes"]["voice_events"] for row in rows
    } == found
    for row in rows:
        assert row["attributes"]["events"] == []
        assert set(row["attributes"]["voice_events"]["response_keys"]) <= set(
            row["provenance"]["response_keys"]
        )


def test_causes_are_asked_with_what_was_heard_up_to_their_turn(built):
    config, _, requests = built
    said = {}
    for _, turn in turns_of(config):
        said.setdefault(turn["clean"], turn["voice_events"]["events"][0])
    causes = [request for request in requests if not request.sounds]
    assert len(causes) > 50
    for request in causes:
        words = request.body["messages"][1]["content"]
        lines = [line for line in words.splitlines() if re.match(r"\[\d+\] ", line)]
        for line in lines:
            spoken = re.fullmatch(r"\[\d+\] \w+: (.*) \(sounds: (\w+)(?:; voice: .*)?\)", line)
            assert spoken is not None, line
            assert said[spoken[1]] == spoken[2]


def test_each_recorded_answer_tells_whether_its_voice_fits_its_words(built):
    config = built[0]
    turns = {(row["dialogue_id"], turn["turn_index"]): turn for row, turn in turns_of(config)}
    found = []
    for row in pq.read_table(f"{config.output}/stage2").to_pylist():
        # A cell that would say nothing is null.
        told = row["consistency"] or dict.fromkeys(("heard", "agrees", "word_error_rate")) | {
            "intended": []
        }
        answer = [
            turns[row["dialogue_id"], span["turn_index"]] for span in row["response"]["audio_spans"]
        ]
        said = {turn["text"]["emotion"] for turn in answer}
        heard = {turn["voice"]["emotion"] for turn in answer}
        assert told["intended"] == (list(said) if len(said) == 1 and None not in said else [])
        assert told["heard"] == (next(iter(heard)) if len(heard) == 1 else None)
        fits = [turn["text"]["emotion"] == turn["voice"]["emotion"] for turn in answer]
        assert told["agrees"] == (None if None in said else all(fits))
        # The corpus gave the words that were heard.
        assert told["word_error_rate"] is None
        found.append(told["agrees"])
    assert set(found) == {False, None}


def test_the_run_tells_what_hearing_cost_and_the_card_what_it_gave(built):
    config, report, requests = built
    heard = [request for request in requests if request.sounds]
    spent = report.ledger["label", EAR]
    assert spent.answered == len(heard)
    seconds = sum(turn["audio"]["duration"] for _, turn in turns_of(config))
    assert spent.audio_tokens == pytest.approx(10 * seconds, rel=0.01)
    words = 300 * len(heard) * 1.0 + 30 * len(heard) * 2.0
    assert spent.usd == pytest.approx((words + spent.audio_tokens * 10.0) / 1e6)
    card = card_of(config)
    assert verify(config.output).is_sound
    assert f"| voice labeler | `{EAR}` | not known | not known | 127.0.0.1 | no |" in card
    assert f"Voices labeled: {len(heard)}; that could not be: 0." in card


def test_a_plan_counts_every_voice_before_and_none_after(tmp_path):
    with OpenAIServer(endpoint) as server:
        config = configured(tmp_path, server.base_url, limit=1)
        before = plan_build(config).stages["label"]
        report = build(config)
        after = plan_build(config).stages["label"]
    asked = report.ledger["label", EAR]
    assert (before.num_stored, before.num_known) == (0, asked.answered)
    assert (after.num_stored, after.num_known) == (asked.answered, 0)
    assert before.is_bounded
    assert before.usd > asked.usd


def test_voices_that_cannot_be_labeled_are_flagged_and_counted_and_lose_no_row(tmp_path):
    def deaf(request):
        return chat("I hear somebody.") if request.sounds else endpoint(request)

    with OpenAIServer(deaf) as server:
        config = configured(tmp_path, server.base_url, limit=1)
        report = build(config)
        num_asked = sum(bool(request.sounds) for request in server.requests)
    turns = turns_of(config)
    assert report.exit_code == 0
    assert report.manifest.codes == {}
    assert all("voice_failed" in turn["flags"] for _, turn in turns)
    # Each is asked again once.
    assert num_asked == 2 * len(turns)
    assert f"Voices labeled: 0; that could not be: {len(turns)}." in card_of(config)


def test_where_voices_count_alone_a_failed_one_is_a_dead_letter_and_retry_asks_it_again(tmp_path):
    answers = ["I hear somebody.", None]

    def recovers(request):
        if not request.sounds:
            return endpoint(request)
        return chat(answers[0]) if answers[0] else endpoint(request)

    with OpenAIServer(recovers) as server:
        config = configured(tmp_path, server.base_url, limit=1, labels={"fusion": "voice"})
        failed = build(config).manifest
        num_turns = len(turns_of(config))
        assert failed.codes["turn:broken_json"] == num_turns
        answers.pop(0)
        report = build(config.model_copy(update={"retry": ("broken_json",)}))
    assert report.manifest.codes == {}
    assert all(turn["emotion"] in ("anger", "sad") for _, turn in turns_of(config))


def test_check_tells_what_the_ear_heard(tmp_path):
    with OpenAIServer(endpoint) as server:
        lines = list(check_build(configured(tmp_path, server.base_url)))
    (line,) = [line for line in lines if line.startswith("voice ")]
    assert re.fullmatch(rf"voice     {EAR}: (anger, shout|sad, sob)", line)
