"""Which changes of a configuration ask again, and so cost again: every field of it has a line."""

import asyncio
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from ieat.pipeline.config import (
    BuildConfig,
    EndpointSettings,
    HumdialTableSettings,
    LanguageModelSettings,
    TeacherSettings,
    VerifierSettings,
    VoiceLabelerSettings,
    load_config,
)
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.rules import distill_rules, label_rules, retrospect_rules
from ieat.pipeline.run_state import RunState
from ieat.pipeline.stages.distill import distill
from ieat.pipeline.stages.label import label_emotions
from ieat.pipeline.stages.retrospect import retrospect
from ieat.pipeline.wiring import open_engines
from ieat.prompts.library import FOLDER, VERSIONS
from ieat.schemas.attribution import Attribution, Cause, CauseKind
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.engine import Answer, StoredAnswer
from tests.builders import composed
from tests.dialogues import dialogue, heard, transcribed
from tests.unit.test_llm_engines import STOLEN

TALK = (("ann", "My bag is gone"), ("bob", "Oh"), ("ann", "They stole it"), ("bob", "I see"))
LABEL = (
    '{"evidence": [], "emotion": "neutral", "intensity": "low", "event": null, "appraisal": null, '
    '"kind": null, "reading": ""}'
)
"""An answer of the language model that needs no second question."""

ENDPOINT: dict[str, tuple[object, bool]] = {
    "base_url": ("http://127.0.0.1:1/v1", False),
    "revision": ("2026-11", True),
    "api_key_env": ("OTHER_KEY", False),
    "in_flight": (7, False),
    "timeout": (7.0, False),
    "max_attempts": (2, False),
    "max_wait": (7.0, False),
    "requests_per_minute": (60.0, False),
    "tokens_per_minute": (6000.0, False),
    "prices": ({"input": 1.0, "output": 2.0}, False),
    "organization": ("org", False),
    "project": ("project", False),
    "headers": ({"X-Team": "a"}, False),
    "headers_env": ({"X-Secret": "HOME"}, False),
    "proxy": ("http://127.0.0.1:2", False),
    "ca_file": ("ca.pem", False),
    "client_cert": ("cert.pem", False),
    "client_key": ("key.pem", False),
    "service": ("own", False),
    "model_license": ("apache-2.0", False),
    "model_is_open": (True, False),
}
"""A changed value of each field of an endpoint's settings, and whether it asks again."""

SAMPLING: dict[str, tuple[object, bool]] = {
    "temperature": (0.5, True),
    "top_p": (0.9, True),
    "max_tokens": (99, True),
    "seed": (1, True),
    "extra_body": ({"chat_template_kwargs": {"enable_thinking": False}}, True),
}
"""The same for what only a language model has."""

TEACHER = (
    ENDPOINT
    | SAMPLING
    | {
        "thinking_off": ("none", True),
        "context": ("history", True),
        "extra_body": ({"top_k": 1}, True),
    }
)
"""The same for the teacher."""

VOICE = ENDPOINT | SAMPLING | {"audio_format": ("flac", False)}
"""The same for the voice labeler: FLAC and WAV are the same sound."""

VERIFIER = ENDPOINT | SAMPLING | {"allow_self": (True, False), "must_agree": (True, False)}
"""The same for the verifier."""


HUMDIAL: dict[str, tuple[object, bool]] = {
    "t1_question_emotion": (True, True),
    "t1_min_tied": (0.5, False),
    "t2_min_arguments": (3, False),
    "t2_min_tied": (0.1, False),
    "t2_max_restated": (0.1, False),
    "t3_rule": ("second_non_neutral", False),
    "min_turns": (1, False),
    "max_turns": (5, False),
    "max_tokens": (99, True),
    "max_answer_words": (5, False),
    "max_answer_characters": (5, False),
}
"""The same for the tables of HumDial's tasks, of which two look back over the dialogue."""


class Noting:
    """A store that notes which keys are looked up, and holds one answer to all."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    async def get(self, key: str, dialogue_id: str) -> StoredAnswer | None:
        self.keys.add(key)
        return StoredAnswer(key=key, engine_id="e", label="l", answer=Answer(text=LABEL))

    def note(self, key: str, dialogue_id: str) -> None: ...

    async def put(
        self, stored: StoredAnswer, dialogue_id: str, *, replaces: bool = False
    ) -> StoredAnswer:
        raise AssertionError("nothing is asked in replay")

    def contains(self, keys: list[str]) -> set[str]:
        return set(keys)

    def close(self) -> None: ...


def config(tmp_path: Path, **changes: object) -> BuildConfig:
    return load_config(
        None,
        {
            "inputs": [{"path": "none"}],
            "output": str(tmp_path / "out"),
            "recognizer": "openai:ear",
            "labeler": "llm",
            "attributor": "llm",
            "response": "written",
            "language_model": "openai:m",
            "replay": True,
        }
        | changes,
    )


class Keys(NamedTuple):
    """What is looked up about one dialogue."""

    heard: frozenset[str]
    """Keys of transcriptions."""
    asked: frozenset[str]
    """Keys of questions to the language model."""


def keys_of(of: BuildConfig) -> Keys:
    store = Noting()

    async def ask() -> Keys:
        engines = open_engines(of, RunState(("label",), 1.0), store)
        talk = heard(dialogue(TALK))
        for turn, sound in zip(talk.dialogue.turns, talk.sounds, strict=True):
            # The one answer of this store is no transcription; only its key matters here.
            with pytest.raises(UnusableAnswer):
                await engines.recognizer.recognize(turn, sound, Language.EN, "corpus/d1")
        transcriptions, store.keys = frozenset(store.keys), set()
        await label_emotions(transcribed(talk.dialogue), engines.labeler, label_rules(of))
        await engines.close()
        return Keys(transcriptions, frozenset(store.keys))

    return asyncio.run(ask())


def test_every_setting_has_a_line_in_the_tables():
    assert set(EndpointSettings.model_fields) == set(ENDPOINT)
    assert set(LanguageModelSettings.model_fields) == set(ENDPOINT) | set(SAMPLING)
    assert set(VoiceLabelerSettings.model_fields) == set(VOICE)
    assert set(VerifierSettings.model_fields) == set(VERIFIER)
    assert set(HumdialTableSettings.model_fields) == set(HUMDIAL)
    assert set(TeacherSettings.model_fields) == set(TEACHER)


@pytest.mark.parametrize("name", [*ENDPOINT, *SAMPLING])
def test_a_setting_of_the_language_model_asks_again_only_where_it_changes_answers(tmp_path, name):
    value, asks_again = (ENDPOINT | SAMPLING)[name]
    before = keys_of(config(tmp_path))
    after = keys_of(config(tmp_path, language_model_settings={name: value}))
    assert len(before.asked) == len(TALK)
    assert before.asked.isdisjoint(after.asked) is asks_again
    assert (before.asked == after.asked) is not asks_again
    assert before.heard == after.heard


@pytest.mark.parametrize("name", ENDPOINT)
def test_a_setting_of_the_recognizer_asks_again_only_where_it_changes_answers(tmp_path, name):
    value, asks_again = ENDPOINT[name]
    before = keys_of(config(tmp_path))
    after = keys_of(config(tmp_path, recognizer_settings={name: value}))
    assert before.heard
    assert before.heard.isdisjoint(after.heard) is asks_again
    assert (before.heard == after.heard) is not asks_again
    assert before.asked == after.asked


def voice_keys_of(of: BuildConfig) -> set[str]:
    store = Noting()

    async def ask() -> set[str]:
        engines = open_engines(of, RunState(("label",), 1.0), store)
        await label_emotions(
            transcribed(dialogue(TALK)), None, label_rules(of), engines.voice_labeler
        )
        await engines.close()
        return store.keys

    return asyncio.run(ask())


@pytest.mark.parametrize("name", VOICE)
def test_a_setting_of_the_voice_labeler_asks_again_only_where_it_changes_answers(tmp_path, name):
    value, asks_again = VOICE[name]
    hears = {"voice_labeler": "openai-audio:ear"}
    before = voice_keys_of(config(tmp_path, **hears))
    after = voice_keys_of(config(tmp_path, **hears, voice_labeler_settings={name: value}))
    assert before
    assert before.isdisjoint(after) is asks_again
    assert (before == after) is not asks_again


def read_back(of: BuildConfig) -> frozenset[str]:
    """Return the keys of the questions to the verifier about one cause."""
    store = Noting()
    cause = Cause(event="A bag is gone.", appraisal=None, kind=CauseKind.LATENT, evidence=())
    found = Attribution(
        turn_index=0, speaker="ann", emotion=Emotion.SAD, intensity=None, causes=(cause,),
        attributor_id="openai:m",
    )  # fmt: skip

    async def ask() -> frozenset[str]:
        engines = open_engines(of, RunState(("attribute",), 1.0), store)
        assert engines.verifier is not None
        await engines.verifier.repredict(found, STOLEN)
        await engines.close()
        return frozenset(store.keys)

    return asyncio.run(ask())


@pytest.mark.parametrize("name", VERIFIER)
def test_a_setting_of_the_verifier_asks_again_only_where_it_changes_answers(tmp_path, name):
    value, asks_again = VERIFIER[name]
    reads = {"verifier": "openai:v"}
    before = read_back(config(tmp_path, **reads))
    after = read_back(config(tmp_path, **reads, verifier_settings={name: value}))
    assert before
    assert before.isdisjoint(after) is asks_again
    assert (before == after) is not asks_again


def teacher_keys_of(of: BuildConfig) -> set[str]:
    store = Noting()

    async def ask() -> set[str]:
        engines = open_engines(of, RunState(("distill",), 1.0), store)
        talk = composed(TALK, emotions={0: Emotion.SAD, 2: Emotion.ANGER})
        await distill(talk, engines.teacher, distill_rules(of))
        await engines.close()
        return store.keys

    return asyncio.run(ask())


def look_back_keys_of(of: BuildConfig) -> set[str]:
    store = Noting()

    async def ask() -> set[str]:
        engines = open_engines(of, RunState(("retrospect",), 1.0), store)
        talk = composed((*TALK, ("ann", "Can you sum up how my mood changed?")))
        await retrospect(talk, engines.retrospector, retrospect_rules(of))
        await engines.close()
        return store.keys

    return asyncio.run(ask())


@pytest.mark.parametrize("name", TEACHER)
def test_a_setting_of_the_teacher_asks_again_only_where_it_changes_answers(tmp_path, name):
    value, asks_again = TEACHER[name]
    taught = {"teacher": "openai:t", "user_speaker": "first"}
    before = teacher_keys_of(config(tmp_path, **taught))
    after = teacher_keys_of(config(tmp_path, **taught, teacher_settings={name: value}))
    assert len(before) >= 2
    # The first turn has no history: its question and re-ask are the same in both contexts.
    first = 2 if name == "context" else 0
    assert (len(before & after) <= first) is asks_again
    assert (before == after) is not asks_again


@pytest.mark.parametrize("name", HUMDIAL)
def test_a_setting_of_the_humdial_tables_looks_back_again_only_where_it_changes_answers(
    tmp_path, name
):
    value, asks_again = HUMDIAL[name]
    of = {"humdial_tables": ["t1", "t2"], "user_speaker": "ann"}
    before = look_back_keys_of(config(tmp_path, **of))
    after = look_back_keys_of(config(tmp_path, **of, humdial_settings={name: value}))
    assert before
    assert before.isdisjoint(after) is asks_again
    assert (before == after) is not asks_again


@pytest.mark.parametrize(
    ("change", "asks_again"),
    [
        ({"language_model": "openai:n"}, True),
        ({"one_question": False}, True),
        ({"max_context_turns": 1}, True),
        ({"in_flight": 3}, False),
        ({"shards": 9}, False),
        ({"keep_targets": {"neutral": 0.5}}, False),
        ({"checks": {"max_sentences": 1, "hard": [], "min_snr": 99.0}}, False),
        ({"max_usd": 1.0}, False),
        ({"max_tokens": 10}, False),
        ({"verifier": "openai:v", "verifier_settings": {"prices": {"input": 1.0}}}, False),
    ],
)
def test_a_change_of_the_build_asks_again_only_where_it_changes_questions(
    tmp_path, change, asks_again
):
    priced = {
        "language_model_settings": {"prices": {"input": 1.0}},
        "recognizer_settings": {"prices": {"audio_minute": 0.006}},
    }
    before, after = (
        keys_of(config(tmp_path, **priced)),
        keys_of(config(tmp_path, **priced, **change)),
    )
    assert (before.asked == after.asked) is not asks_again
    assert before.heard == after.heard


def test_more_samples_ask_for_more_answers_and_keep_the_first(tmp_path):
    warm = {"language_model_settings": {"temperature": 0.7}}
    one, three = keys_of(config(tmp_path, **warm)), keys_of(config(tmp_path, **warm, samples=3))
    assert one.asked < three.asked
    assert len(three.asked) == 3 * len(one.asked) == 3 * len(TALK)
    voted = {"labels": {"min_agreement": 0.9}}
    assert keys_of(config(tmp_path, **warm, samples=3, **voted)) == three


def test_an_own_prompt_asks_again_with_its_first_changed_character(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for language in ("en", "zh"):
        shutil.copy(
            FOLDER / "joint" / f"v{VERSIONS['joint']}.{language}.md", own / f"{language}.md"
        )
    released = keys_of(config(tmp_path))
    # The same words under another name are the same question.
    assert keys_of(config(tmp_path, prompts={"joint": str(own)})) == released
    file = own / "en.md"
    file.write_text(file.read_text(encoding="utf-8") + "!", encoding="utf-8")
    assert keys_of(config(tmp_path, prompts={"joint": str(own)})).asked.isdisjoint(released.asked)
