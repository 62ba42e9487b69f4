"""Every prompt as a model sees it, so that a change of wording or rendering is reviewed."""

import asyncio

from ieat.pipeline.engines.asking import render_turns
from ieat.pipeline.engines.llm_attributor import FEELS
from ieat.pipeline.engines.retrospector import look_back_values
from ieat.pipeline.engines.teacher import LLMTeacher
from ieat.pipeline.engines.verifier import CAME_ABOUT, NOT_KNOWN
from ieat.pipeline.label_words import mask_label_words
from ieat.prompts.library import PromptLibrary
from ieat.schemas.attribution import CauseKind
from ieat.schemas.dialogue import Language
from ieat.schemas.distillation import Distillation
from ieat.schemas.emotion import Emotion, VoiceCues
from ieat.schemas.engine import Sampling
from ieat.schemas.history import HeardTurn, History
from ieat.schemas.retrospection import LookBack, PathTurn
from tests.fakes import ScriptedModel

SAID = {
    Language.EN: (("ann", "My bag is gone", ("sigh",)), ("bob", "Since when?", ())),
    Language.ZH: (("小王", "我的包不见了", ("叹气",)), ("小李", "什么时候的事？", ())),
}

EVENT = {
    Language.EN: "They are afraid that their bag was stolen.",
    Language.ZH: "对方害怕包被偷了。",
}


def history(language: Language) -> History:
    cues = VoiceCues(
        turn_index=0, level=-20, pitch=120, pitch_range=3, tilt=-10, rate=3,
        num_reference_turns=3, level_change=6, pitch_change=0, rate_change=1.3, arousal=1,
        words=("louder", "faster"),
    )  # fmt: skip
    return History(
        dialogue_id="c/d",
        language=language,
        turns=tuple(
            HeardTurn(
                turn_index=index, speaker=speaker, clean=words, tagged=words, events=events,
                words=(), audio=None, duration=None, cues=cues if events else None,
            )
            for index, (speaker, words, events) in enumerate(SAID[language])
        ),
    )  # fmt: skip


def _look_back(shown: History) -> dict[str, str]:
    asked = LookBack(
        speaker=shown.turns[0].speaker,
        turns=(
            PathTurn(turn_index=0, gold=Emotion.FEAR, is_question=False),
            PathTurn(turn_index=2, gold=None, is_question=False),
            PathTurn(turn_index=4, gold=Emotion.NEUTRAL, is_question=True),
        ),
        includes_question=False,
        wanted=("humdial_t1", "humdial_t2"),
    )
    values = look_back_values(shown, asked)
    return {name: values[name] for name in ("speaker", "steps", "path")}


async def teach(shown: History, library: PromptLibrary) -> Distillation:
    """Have the first speaker answered, who goes on after the other one."""
    again = shown.turns[0].model_copy(update={"turn_index": 2})
    model = ScriptedModel(lambda _: "好的。" if shown.language is Language.ZH else "All right.")
    teacher = LLMTeacher(model, library, Sampling(), "history")
    longer = shown.model_copy(update={"turns": (*shown.turns, again)})
    return await teacher.answer(longer, {0: Emotion.FEAR, 2: Emotion.ANGER}, "...")


def test_every_prompt_reads_as_reviewed(check_golden) -> None:
    library = PromptLibrary({})
    parts = []
    for language in Language:
        shown = history(language)
        values = {"turn": "1", "speaker": shown.last.speaker}
        words = {"turns": render_turns(shown, with_sound=False)}
        sound = {"turns": render_turns(shown, with_sound=True)}
        emotion = {"emotion": FEELS[language][Emotion.FEAR]}
        thinking = {"thinking": "..."}
        cause = {
            "event": mask_label_words(EVENT[language]),
            "appraisal": NOT_KNOWN[language],
            "kind": CAME_ABOUT[language][CauseKind.INTER_PERSONAL],
        }
        for name, filled in (
            ("labeling", values | words),
            ("attribution", values | sound | emotion),
            ("joint", values | words),
            ("response", values | words | thinking),
            ("voice", {}),
            ("reprediction", cause),
            ("retrospection", sound | _look_back(shown)),
        ):
            prompt = library.prompt(name, language)
            parts += [f"=== {prompt.prompt_id}"]
            parts += [f"--- {m.role}\n{m.content}" for m in prompt.render(filled)]
        taught = asyncio.run(teach(shown, library))
        parts += [f"=== {taught.prompt_id}"]
        parts += [f"--- {m.role}\n{m.content}" for m in taught.messages]
    check_golden("prompts.txt", "\n\n".join(parts) + "\n")
