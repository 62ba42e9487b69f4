"""The corpus' own words in place of a recognizer's."""

from ieat.pipeline.failures import SilentTurn
from ieat.schemas.audio import Sound
from ieat.schemas.dialogue import Language, Turn
from ieat.schemas.transcript import Recognition


class GoldRecognizer:
    """Gives each turn the words that its corpus gives it."""

    recognizer_id = "gold"

    async def recognize(
        self, turn: Turn, sound: Sound | None, language: Language, dialogue_id: str
    ) -> Recognition:
        """Return the corpus' words.

        Raises:
            SilentTurn: The corpus gives none.
        """
        if turn.text is None or not turn.text.strip():
            raise SilentTurn(
                "no_words",
                f"turn {turn.index} of {dialogue_id} has no text in its corpus; set recognizer to "
                "moonshine or openai:MODEL to transcribe its sound",
            )
        return Recognition(text=turn.text)

    async def close(self) -> None:
        """Nothing is open."""
