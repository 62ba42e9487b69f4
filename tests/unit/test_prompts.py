import json
import re

import pytest

from ieat.pipeline.answers import (
    RESPONSE_FORMS,
    CauseForm,
    JointForm,
    LabelForm,
    RepredictionForm,
    RetrospectionForm,
    VoiceForm,
)
from ieat.pipeline.checks import check_cause_text, check_evidence, check_not_copied
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.judging.scoring import ScoresForm
from ieat.prompts.library import (
    FOLDER,
    JUDGE_NAMES,
    NAMES,
    VERSIONS,
    Prompt,
    PromptError,
    PromptLibrary,
    TemplateFile,
    answer_schema,
    digest,
    example_sentences,
    read_lock,
)
from ieat.prompts.lock import lock
from ieat.schemas.dialogue import Language
from tests.unit.test_checks import heard, history

FORMS = {
    "labeling": LabelForm,
    "attribution": CauseForm,
    "joint": JointForm,
    "voice": VoiceForm,
    "reprediction": RepredictionForm,
    "retrospection": RetrospectionForm,
    **dict.fromkeys(JUDGE_NAMES, ScoresForm),
}
"""The class that reads the answers to a prompt, of every version."""


def test_every_released_file_is_locked_and_unchanged():
    files = set(FOLDER.glob("*/v*.*"))
    assert len(files) == len(read_lock())
    PromptLibrary({}).identities()


def test_every_prompt_is_there_in_both_languages_with_the_same_sections_and_placeholders():
    for name in NAMES:
        english, chinese = (PromptLibrary({}).template(name, language) for language in Language)
        assert english.sections.keys() == chinese.sections.keys(), name
        for section, text in english.sections.items():
            found = [
                set(re.findall(r"\$\w+", either, re.ASCII))
                for either in (text, chinese.sections[section])
            ]
            assert found[0] == found[1], (name, section)


RELEASED = sorted(
    (path.parent.name, int(path.name.split(".")[0][1:])) for path in FOLDER.glob("*/v*.schema.json")
)
"""Name and version of every answer schema."""


def form_of(name, version):
    return RESPONSE_FORMS[f"response@{version}"] if name == "response" else FORMS[name]


@pytest.mark.parametrize(("name", "version"), RELEASED)
def test_the_released_answer_schema_has_the_fields_of_the_class_that_reads_it(name, version):
    schema = json.loads(answer_schema(name, version).text)
    fields = set(form_of(name, version).model_fields)
    assert set(schema["properties"]) == set(schema["required"]) == fields
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(("name", "version"), RELEASED)
def test_every_value_that_the_released_schema_allows_is_read(name, version):
    form = form_of(name, version)
    schema = json.loads(answer_schema(name, version).text)
    good = {
        "evidence": [{"turn": 0, "quote": "a"}],
        "emotion": "sad",
        "intensity": "low",
        "event": "a",
        "appraisal": None,
        "kind": "explicit",
        "style": "calm",
        "delivery": "a",
        "reading": "a",
        "response": "a",
        "events": ["sob"],
        "confidence": 0.5,
        "steps": [
            {"turn": 0, "evidence": [], "event": "a", "emotion": "sad", "intensity": "low"},
            {"turn": 2, "evidence": [], "event": "a", "emotion": "unclear", "intensity": "high"},
        ],
        "causes": [{"evidence": [{"turn": 0, "quote": "a"}], "cause": "a"}],
        "root_cause": "a",
        "conclusion": "a",
        "arguments": ["a", "b"],
        "takeaway": "a",
        "trajectory_answer": "a",
        "reasons_answer": "a",
        "scores": {"textual_empathy_insight": 5},
        "justification": {"textual_empathy_insight": "a"},
        "overall_comment": "a",
    }
    for field, allowed in schema["properties"].items():
        for value in allowed.get("enum", [good[field]]):
            form.model_validate({k: good[k] for k in schema["properties"]} | {field: value})


@pytest.mark.parametrize("name", ["attribution", "joint", "labeling"])
@pytest.mark.parametrize("language", list(Language))
def test_the_shown_examples_are_answers_that_pass_every_check(name, language):
    """A model that does as an example does must be able to pass; asked in turn order, as shown."""
    system = PromptLibrary({}).template(name, language).sections["system"]
    blocks = [block.splitlines() for block in system.split("\n\n") if block.startswith("[")]
    assert len(blocks) == 3
    for block in blocks:
        turns = []
        for line in block:
            found = re.match(r"\[(\d+)\] ([AB])[:：] ?(.*)", line)
            if found:
                turns.append(heard(int(found[1]), found[3], found[2]))
        form = FORMS[name].model_validate_json(block[-1])
        # The order of the keys is the order of thought.
        assert list(json.loads(block[-1])) == list(FORMS[name].model_fields)
        shown = history(*turns, language=language)
        is_felt = name == "attribution" or form.emotion != "neutral"
        if is_felt:
            check_evidence(form.evidence, shown, getattr(form, "kind", None))
        for sentence in (getattr(form, "event", None), getattr(form, "appraisal", None)):
            if sentence:
                check_cause_text(sentence, shown)
                with pytest.raises(UnusableAnswer, match="example"):
                    check_not_copied(sentence, example_sentences(system))


def test_examples_of_prompts_name_nobody():
    """Names are what leaks first: speakers are letters, and no word within a sentence is a name."""
    for name in ("attribution", "joint", "labeling"):
        system = PromptLibrary({}).template(name, Language.EN).sections["system"]
        spoken = re.findall(r"^\[\d+\] [AB]: (.*)$", system, re.MULTILINE)
        assert len(spoken) == 6
        for text in (*spoken, *example_sentences(system)):
            capitals = re.findall(r"(?<=[a-z,;] )[A-Z]\w*", text)
            assert set(capitals) <= {"I"}, text


def test_only_whole_example_answers_are_looked_at():
    text = 'Say {"event": "x"}.\n{"event": "A kite flew.", "appraisal": null}\n{broken\n{"turn": 1}'
    assert example_sentences(text) == {"A kite flew."}


def prompt(**sections):
    return Prompt(TemplateFile("p@1.en", "0", sections), answer_schema("labeling"))


def test_rendering_fills_every_placeholder_and_nothing_else():
    first, second = prompt(system="Be $how.", user="Say ${what}!").render(
        {"how": "kind", "what": "$5 {now}"}
    )
    assert (first.role, first.content) == ("system", "Be kind.")
    assert (second.role, second.content) == ("user", "Say $5 {now}!")


def test_a_missing_or_unused_value_is_refused():
    with pytest.raises(PromptError, match=r"no value for \$how"):
        prompt(user="Be $how.").render({})
    with pytest.raises(PromptError, match="value without use: more"):
        prompt(user="Be $how.").render({"how": "kind", "more": "x"})


def test_an_edit_of_a_released_file_is_refused(tmp_path):
    folder, lock_file = tmp_path / "prompts", tmp_path / "lock.json"
    (folder / "labeling").mkdir(parents=True)
    file = folder / "labeling" / "v1.en.md"
    file.write_text("## user\nold\n")
    assert lock("labeling", 1, folder, lock_file) == ["labeling@1.en"]
    assert json.loads(lock_file.read_text()) == {"labeling@1.en": digest("## user\nold\n")}
    file.write_text("## user\nnew\n")
    with pytest.raises(SystemExit, match="released already; add a new version instead"):
        lock("labeling", 1, folder, lock_file)


def test_a_users_own_template_takes_the_place_of_a_released_one(tmp_path):
    (tmp_path / "en.md").write_text("## user\nHow is $speaker at [$turn]?\n\n$turns\n")
    library = PromptLibrary({"labeling": str(tmp_path)})
    own = library.prompt("labeling", Language.EN)
    assert own.prompt_id == "labeling@own.en"
    assert own.sha256 == digest((tmp_path / "en.md").read_text())
    default = library.prompt("attribution", Language.EN)
    assert default.prompt_id == f"attribution@{VERSIONS['attribution']}.en"


def test_an_own_template_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PromptError, match=r"labeling@own\.zh"):
        PromptLibrary({"labeling": str(tmp_path)}).template("labeling", Language.ZH)
