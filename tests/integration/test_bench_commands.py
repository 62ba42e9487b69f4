"""`ieat bench` as a person types it, against a server that knows the gold labels, or none."""

import json
import re

import pytest

from ieat.pipeline.cli import run
from ieat.pipeline.emotion_words import SAME_WORD
from ieat.prompts.library import VERSIONS, PromptLibrary
from ieat.schemas.dialogue import Language
from tests.gold_files import CAUSES, TALKS, emotion_word, gold_of, write
from tests.openai_server import CHAT, OpenAIServer, chat, failure
from tests.talk_script import asked

NUM_STATES = len(CAUSES)
NUM_TURNS = sum(map(len, TALKS.values()))


def right(request):
    """Answer what the annotators say."""
    question = asked(request)
    causes = gold_of(question.words)
    word = emotion_word(question.words)
    emotion = "happy" if word == "excited" else SAME_WORD[word].value
    label = {"emotion": emotion, "intensity": "medium"}
    cause = {
        "event": "It happened." if causes else None,
        "appraisal": None,
        "kind": "explicit" if causes else None,
    }
    evidence = {"evidence": [{"turn": turn, "quote": span} for turn, span, _ in causes]}
    return chat(
        {
            "labeling": evidence | label,
            "attribution": evidence | cause,
            "joint": evidence | label | cause,
        }[question.schema]
    )


def wrong(request):
    """Name an emotion that nobody has, and a cause that nobody said."""
    cause = {"event": "It happened.", "appraisal": None, "kind": "latent"}
    question = asked(request)
    quote = {"turn": question.turn, "quote": question.words.split()[0]}
    # A label needs a quote, and every own turn but one is a gold cause.
    evidence = [] if question.schema == "attribution" else [quote]
    return chat({"evidence": evidence, "emotion": "disgust", "intensity": "low"} | cause)


@pytest.fixture
def bench(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def command(what, *flags, form="columns", code=0, script=None):
        """Run a benchmark; return the report and what was printed."""
        arguments = ["bench", what, str(write(tmp_path, form)), "--json", "report.json", *flags]
        if script is None:
            assert run(arguments, []) == code
        else:
            with OpenAIServer(script) as server:
                arguments += ["--language-model", "openai:fake-1", "--base-url", server.base_url]
                assert run(arguments, []) == code
                command.requests = server.count(CHAT)
        printed = capsys.readouterr()
        if code:
            return printed.err
        return json.loads((tmp_path / "report.json").read_text(encoding="utf-8")), printed.out

    return command


def figures(row, measure):
    return tuple(row[measure][name]["value"] for name in ("precision", "recall", "f1"))


@pytest.mark.parametrize("form", ["columns", "reccon", "ecf"])
def test_one_who_answers_the_gold_causes_is_right_about_everything(bench, form):
    report, printed = bench("causes", "--attributor", "llm", form=form, script=right)
    assert bench.requests == NUM_STATES
    row = report["rows"][0]
    for measure in ("turns", "tokens", "spans"):
        assert figures(row, measure) == (1.0, 1.0, 1.0)
    assert row["turns"]["f1"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert row["failed"] == {}
    assert {name: found["f1"]["value"] for name, found in row["by_emotion"].items()} == {
        "happy": 1.0, "sad": 1.0, "anger": 1.0
    }  # fmt: skip
    assert set(row["by_kind"]) == (set() if form == "ecf" else {"no-context", "inter-personal"})
    assert report["answers"][1] == {
        "dialogue": "d1",
        "turn": 1,
        "emotion": "happy",
        "kinds": [] if form == "ecf" else ["inter-personal"],
        "gold": [0],
        "found": {
            row["name"]: [0],
            "own turn": [1],
            "turn before": [0],
            "own turn and the one before": [0, 1],
        },
        "failed": {},
    }
    assert re.search(r"attribution|openai:fake-1", printed)
    assert f"{NUM_STATES} questions" in printed


def test_rules_are_scored_beside_it(bench):
    report, _ = bench("causes")
    rows = {row["name"]: row for row in report["rows"]}
    # Of five own turns four are gold causes, and six turns are gold.
    assert figures(rows["own turn"], "turns") == (4 / 5, 4 / 6, pytest.approx(8 / 11))
    # Two turns before are cited rightly, and one, before the theft, wrongly.
    assert figures(rows["turn before"], "turns") == (2 / 3, 2 / 6, pytest.approx(4 / 9))
    both = rows["own turn and the one before"]
    assert figures(both, "turns") == (6 / 8, 1.0, pytest.approx(12 / 14))
    # The baseline sees that "Oh, really? Congratulations!" says nothing of its own.
    baseline = report["rows"][0]
    assert baseline["engine"] == baseline["name"] == "extractive@2"
    assert figures(baseline, "turns")[0] == 6 / 7
    (difference,) = report["differences"]
    assert difference["against"] == "own turn and the one before"
    assert difference["turns_f1"]["value"] == pytest.approx(12 / 13 - 12 / 14)


def test_one_who_answers_wrongly_is_right_about_nothing(bench):
    report, _ = bench("causes", "--attributor", "llm", script=wrong)
    row = report["rows"][0]
    assert row["turns"]["recall"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert row["turns"]["f1"]["value"] == row["tokens"]["f1"]["value"] == 0.0
    assert report["differences"][0]["turns_f1"]["high"] < 0


def test_what_fails_is_missed_and_told_with_its_code(bench):
    def broken(request):
        return chat("not JSON") if "cat" in asked(request).words else right(request)

    report, printed = bench("causes", "--attributor", "llm", script=broken)
    row = report["rows"][0]
    assert row["failed"] == {"broken_json": 1}
    assert figures(row, "turns") == (1.0, 5 / 6, pytest.approx(10 / 11))
    assert f"counted as missed: {row['name']}: broken_json 1" in printed


def test_two_versions_of_a_prompt_are_compared_on_the_same_draws(bench, tmp_path):
    second = PromptLibrary({"attribution": 2}).prompt("attribution", Language.EN)

    def better_with_the_second(request):
        is_second = request.body["messages"][0]["content"] == second.file.sections["system"]
        return (right if is_second else wrong)(request)

    report, printed = bench(
        "causes", "--attributor", "llm", "--prompt", "attribution@1", "--prompt", "attribution@2",
        script=better_with_the_second,
    )  # fmt: skip
    assert bench.requests == 2 * NUM_STATES
    assert [row["name"] for row in report["rows"][:2]] == ["attribution@1", "attribution@2"]
    assert [sorted(row["prompts"]) for row in report["rows"][:2]] == [
        [f"attribution@{version}.en", f"reask@{VERSIONS['reask']}.en"] for version in (1, 2)
    ]
    (difference,) = (
        found for found in report["differences"] if found["against"] == "attribution@1"
    )
    assert difference["of"] == "attribution@2"
    assert difference["turns_f1"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert "attribution@2 - attribution@1" in printed
    # The same questions are not paid again, and in replay nobody is asked.
    again, _ = bench(
        "causes", "--attributor", "llm", "--prompt", "attribution@2", "--replay",
        "--language-model", "openai:fake-1",
    )  # fmt: skip
    assert figures(again["rows"][0], "turns") == (1.0, 1.0, 1.0)


def test_an_own_prompt_is_compared_by_its_folder(bench, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "en.md").write_text(
        "## system\nFind it.\n\n## user\n$turns\n[$turn] $speaker is $emotion\n", encoding="utf-8"
    )

    def worse_with_the_own(request):
        is_own = request.body["messages"][0]["content"] == "Find it."
        return wrong(request) if is_own else right(request)

    def at_the_end(request):
        # The own prompt ends with a line that looks like a turn; the question is about that turn.
        messages = request.body["messages"]
        messages[1]["content"] = re.sub(r"\n\[\d+\] \w+ is .*$", "", messages[1]["content"])
        return worse_with_the_own(request)

    report, _ = bench(
        "causes", "--attributor", "llm", "--prompt", "attribution@1",
        "--prompt", f"attribution={own}", script=at_the_end,
    )  # fmt: skip
    row = report["rows"][1]
    assert (row["name"], sorted(row["prompts"])) == (
        f"attribution={own}", ["attribution@own.en", f"reask@{VERSIONS['reask']}.en"]
    )  # fmt: skip
    difference = report["differences"][2]
    assert (difference["of"], difference["against"]) == (f"attribution={own}", "attribution@1")
    assert difference["turns_f1"]["value"] == -1.0


@pytest.mark.parametrize("attributor", ["llm", "extractive"])
def test_emotions_are_labeled_from_the_words_alone_or_with_their_causes(bench, attributor):
    report, printed = bench(
        "emotions", "--labeler", "llm", "--attributor", attributor, script=right
    )
    assert bench.requests == NUM_TURNS
    row, most = report["rows"]
    prompt = "joint" if attributor == "llm" else "labeling"
    assert [name.partition("@")[0] for name in row["prompts"]] == [prompt, "reask"]
    assert row["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert row["macro_f1"]["value"] == 1.0
    # Two of six turns are happy, and two are sad; happy comes first.
    assert most["accuracy"]["value"] == pytest.approx(2 / 6)
    assert most["macro_f1"]["value"] == pytest.approx(0.5 / 4)
    assert "most frequent emotion" in printed


def test_wrong_emotions_and_none_are_both_wrong(bench):
    def half(request):
        reply = wrong(request)
        return (
            failure(400, "filtered", code="content_filter")
            if "cat" in asked(request).words
            else reply
        )

    report, _ = bench("emotions", "--labeler", "llm", script=half)
    row = report["rows"][0]
    assert row["accuracy"]["value"] == row["macro_f1"]["value"] == 0.0
    assert sum(row["failed"].values()) == 1


def test_the_shipped_labeler_says_how_often_it_abstains(bench):
    report, _ = bench("emotions")
    row = report["rows"][0]
    assert row["name"].startswith("linear@")
    found = [answer["found"][row["name"]] for answer in report["answers"]]
    assert row["abstained"] == found.count(None)
    assert row["failed"] == {}


def test_causes_are_also_measured_for_emotions_that_the_labeler_names(bench):
    def calm_about_cats(request):
        if "cat" not in asked(request).words:
            return right(request)
        return chat(
            {
                "evidence": [], "emotion": "neutral", "intensity": "low", "event": None,
                "appraisal": None, "kind": None,
            }
        )  # fmt: skip

    report, printed = bench(
        "causes", "--attributor", "llm", "--labeled", "--labeler", "llm", "--prompt", "joint@1",
        script=calm_about_cats,
    )  # fmt: skip
    assert bench.requests == NUM_TURNS
    row = report["rows"][0]
    assert row["failed"] == {"state_neutral": 1}
    assert figures(row, "turns") == (1.0, 5 / 6, pytest.approx(10 / 11))
    assert "emotions labeled, not given" in printed


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--prompt", "attribution@1"], "asks no prompt with these engines"),
        (["--attributor", "llm"], "needs a language_model"),
        (["--attributor", "llm", "--language-model", "openai:m", "--prompt", "attribution"],
         "write a name and a version"),
        (["--attributor", "llm", "--language-model", "openai:m", "--prompt", "labeling@1"],
         "this benchmark asks attribution, reask"),
        (["--attributor", "llm", "--language-model", "openai:m", "--prompt", "attribution@99"],
         "there is no attribution@99.en; released versions: 1, 2"),
        (["--json", "none/report.json"], "there is no folder none"),
        (["--attributor", "llm", "--language-model", "openai:m", "--prompt", "attribution@1",
          "--prompt", "attribution@1"], "given twice"),
        (["--attributor", "llm", "--language-model", "openai:m", "--prompt", "attribution@1",
          "--prompt", "reask@1"], "compares versions of one prompt"),
        (["--labeler", "llm"], "--labeler goes with --labeled"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_before_anybody_is_asked(bench, flags, problem):
    printed = bench("causes", *flags, code=2)
    assert problem in printed
    assert "Traceback" not in printed


def test_a_file_that_is_not_there_is_a_mistake(tmp_path, capsys):
    assert run(["bench", "emotions", str(tmp_path / "none.json")], []) == 2
    assert "cannot read the benchmark" in capsys.readouterr().err


def test_a_benchmark_that_asks_nobody_leaves_no_store(bench, tmp_path):
    bench("causes")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["columns.json", "report.json"]


def test_a_budget_ends_a_benchmark_and_the_same_command_goes_on(bench):
    flags = ("--attributor", "llm", "--max-tokens", "1500")
    printed = bench("causes", *flags, code=3, script=right)
    assert "the same command goes on" in printed
    report, _ = bench("causes", "--attributor", "llm", script=right)
    assert figures(report["rows"][0], "turns") == (1.0, 1.0, 1.0)


def test_an_endpoint_that_refuses_us_is_unavailable(bench):
    printed = bench(
        "causes", "--attributor", "llm", code=4,
        script=lambda request: failure(401, "bad key", code="invalid_api_key"),
    )  # fmt: skip
    assert "401" in printed or "key" in printed


def test_what_a_build_does_with_sound_and_rows_does_not_matter_here(bench, tmp_path):
    (tmp_path / "ieat.yaml").write_text(
        "inputs: [{path: none}]\noutput: elsewhere\nrecognizer: openai:ear\nlabeler: llm\n"
        "attributor: llm\nresponse: written\nlanguage_model: openai:m\n"
        "voice_labeler: openai-audio:ear\nlabels: {fusion: voice}\nretry: [refusal]\n",
        encoding="utf-8",
    )
    report, _ = bench("emotions", "--config", "ieat.yaml", script=right)
    assert bench.requests == NUM_TURNS
    assert report["rows"][0]["engine"] == "openai:fake-1"
    assert report["rows"][0]["accuracy"]["value"] == 1.0
    assert not list(tmp_path.glob("elsewhere*"))
