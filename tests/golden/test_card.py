"""What the card of a build says between its head and its fields, whole."""

from collections.abc import Callable
from pathlib import Path

from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from tests.builders import aside, composed
from tests.writing import sounding, write_build

CHINESE = (
    ("小明", "我的包不见了。"),
    ("小红", "你放在哪里了?"),
    ("小明", "有人从我车里偷走了。"),
    ("小红", "太糟糕了。"),
)


def test_the_card_of_a_build_says_what_was_reviewed(
    tmp_path: Path, check_golden: Callable[[str, str], None]
) -> None:
    spoken = [
        sounding(tmp_path / "sound", "d1", golds={0: Emotion.SAD, 2: Emotion.FEAR}),
        sounding(
            tmp_path / "sound",
            "d2",
            split="test",
            recognizer_id="moonshine:tiny",
            response="corpus",
            labeler_id="linear:1",
            attributor_id="extractive@1",
            emotions={0: Emotion.NEUTRAL, 2: None, 4: Emotion.HAPPY},
            failed_states={2: "wrong_language"},
            left_out={2: "state_unknown"},
        ),
        composed(
            CHINESE,
            name="d3",
            language=Language.ZH,
            user="小明",
            with_audio=False,
            label_source="gold",
            emotions={0: Emotion.SAD, 2: Emotion.ANGER},
            thinking="他的包被偷了,所以他很生气。",
        ),
    ]
    write_build(tmp_path / "out", spoken, [aside("d4"), aside("d5", code="not_in_store")])
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    said = card[card.index("# Injected") : card.index("## Fields")]
    check_golden("card.md", said)
