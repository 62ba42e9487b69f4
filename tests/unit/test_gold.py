"""The corpus' own words as a recognizer."""

import asyncio

import pytest

from ieat.pipeline.engines.gold import GoldRecognizer
from ieat.pipeline.failures import SilentTurn
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Language, Turn
from ieat.schemas.transcript import Recognition


def recognize(text):
    turn = Turn(index=3, source_turn_id="3", speaker="ann", text=text, audio=AudioSpan(uri="a.wav"))
    return asyncio.run(GoldRecognizer().recognize(turn, None, Language.ZH, "c/d"))


def test_the_words_are_the_corpus_own_tags_included():
    assert recognize("好吧 [sigh] ") == Recognition(text="好吧 [sigh] ")


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_a_turn_without_words_is_silent(text):
    with pytest.raises(SilentTurn) as silent:
        recognize(text)
    assert silent.value.code == "no_words"
    assert silent.value.message == (
        "turn 3 of c/d has no text in its corpus; set recognizer to moonshine or openai:MODEL "
        "to transcribe its sound"
    )
