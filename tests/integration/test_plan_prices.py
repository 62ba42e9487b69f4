"""What a plan says of tokens and money, against what the run then pays."""

import pytest

from ieat.pipeline.main import build
from ieat.pipeline.plan import plan_build
from tests.openai_server import OpenAIServer, Reply, Request, chat
from tests.talk_build import build_config
from tests.talk_script import asked, endpoint, good_answer, manifest_line

PRICES = {"input": 2.0, "cached_input": 0.5, "output": 8.0}
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
    plan = plan_build(configured(tmp_path, "http://127.0.0.1:9/v1", max_usd=0.01))
    assert (plan.is_calibrated, plan.stages["label"].is_bounded) == (False, True)
    said = plan.describe()
    assert "No answer of these engines is stored yet" in said
    assert "max_usd 0.01 may end the build before that" in said
    # Answers are reckoned at their longest: 80 questions of 1024 tokens.
    assert plan.stages["label"].tokens_out == 80 * 1024
    assert not (tmp_path / "out.ieat").exists()


def test_a_finished_build_has_nothing_to_pay(tmp_path):
    with OpenAIServer(endpoint) as server:
        config = configured(tmp_path, server.base_url)
        build(config)
    plan = plan_build(config)
    assert plan.usd is None
    assert [(s.num_stored, s.num_known, s.num_possible) for s in plan.stages.values()] == [
        (80, 0, 0), (80, 0, 0), (80, 0, 0),
    ]  # fmt: skip
    assert plan.describe().splitlines()[-2].split()[:5] == ["total", "240", "0", "0", "0"]
