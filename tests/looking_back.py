"""Look back over dialogues made by keyword defaults, with the scripted answers of the endpoint."""

import asyncio
from collections.abc import Mapping, Sequence

from ieat.pipeline.config import HumdialTableSettings
from ieat.pipeline.engines.retrospector import LLMRetrospector
from ieat.pipeline.stages.retrospect import RetrospectRules, retrospect
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.engine import Question, Sampling
from ieat.schemas.records import DistilledDialogue, RetrospectedDialogue
from tests.builders import composed
from tests.fakes import ScriptedModel
from tests.look_back_script import look_back
from tests.openai_server import Request

PROMPTS = PromptLibrary({})
TABLES = ("humdial_t1", "humdial_t2")
ENGLISH = (
    ("ann", "My bag is gone, I cannot find it"),
    ("bob", "Where did you leave it"),
    ("ann", "I sat down and searched the room"),
    ("bob", "That sounds sensible"),
    ("ann", "Somebody stole it from my car"),
    ("bob", "That is awful"),
    ("ann", "Can you sum up how my emotions changed?"),
)
CHINESE = (
    ("ann", "我的包不见了，怎么都找不到"),
    ("bob", "放在哪里了"),
    ("ann", "我坐下来把房间找了一遍"),
    ("bob", "这样挺好"),
    ("ann", "有人从我车里把它偷走了"),
    ("bob", "太糟糕了"),
    ("ann", "你能总结一下我的情绪变化吗？"),
)
TALKS = {Language.EN: ENGLISH, Language.ZH: CHINESE}
PATH = {0: Emotion.FEAR, 2: Emotion.NEUTRAL, 4: Emotion.ANGER, 6: Emotion.NEUTRAL}
FEELINGS = {"gone": "fear", "不见": "fear", "stole": "anger", "偷": "anger"}


def scripted(question: Question) -> dict[str, object]:
    """Answer as the scripted endpoint does."""
    messages = [message.model_dump() for message in question.messages]
    return look_back(Request("", {"messages": messages}, {}), FEELINGS)


def spoiled(language: Language, *how: str) -> tuple[tuple[str, str], ...]:
    """Return a talk in whose last reply words stand that spoil the answer."""
    talk = list(TALKS[language])
    talk[5] = (talk[5][0], f"{talk[5][1]} {' '.join(how)}")
    return tuple(talk)


def rules(**changes: object) -> RetrospectRules:
    """Return rules under which both tables are wanted."""
    values: dict[str, object] = {
        "tables": TABLES, "user_speaker": "ann", "includes_question": False,
        "min_turns": 2, "max_turns": 12,
    }  # fmt: skip
    return RetrospectRules(**(values | changes))


def looked_back(
    talk: Sequence[tuple[str, str]] = ENGLISH,
    *,
    language: Language = Language.EN,
    emotions: Mapping[int, Emotion | None] = PATH,
    label_source: str = "gold",
    tasks: Sequence[str] = (),
    model: ScriptedModel | None = None,
    settings: HumdialTableSettings | None = None,
    with_rules: RetrospectRules | None = None,
    **changes: object,
) -> RetrospectedDialogue:
    """Compose a dialogue and look back over it.

    Args:
        talk: Speaker and words of each turn.
        language: Its language.
        emotions: Chosen emotion of the user's turns.
        label_source: Source of them: text or gold.
        tasks: Tasks that the corpus names.
        model: Who is asked; null takes the scripted answers.
        settings: Thresholds of the checks.
        with_rules: Rules of the stage.
        changes: Further arguments of `tests.builders.composed`.
    """
    made = composed(
        talk, language=language, emotions=emotions, label_source=label_source, **changes
    )
    dialogue = made.dialogue.model_copy(update={"tasks": tuple(tasks)})
    made = DistilledDialogue.model_validate(
        {name: getattr(made, name) for name in type(made).model_fields} | {"dialogue": dialogue}
    )
    engine = LLMRetrospector(
        model or ScriptedModel(scripted), PROMPTS, Sampling(), settings or HumdialTableSettings()
    )
    return asyncio.run(retrospect(made, engine, with_rules or rules()))
