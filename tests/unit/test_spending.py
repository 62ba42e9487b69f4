"""What calls cost: bounds, prices, the budget, and the counts of a run."""

import asyncio
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ieat.pipeline.config import Prices
from ieat.pipeline.failures import RunStopped
from ieat.pipeline.run_report import describe_asked, describe_run
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spending.ledger import Budget, Cost, Counted, Ledger, Spent, sum_spent
from ieat.pipeline.spending.prices import (
    bound_question,
    bound_sound,
    known_usage,
    price_bound,
    price_usage,
)
from ieat.schemas.engine import (
    Answer,
    AnswerSchema,
    Message,
    Question,
    Sampling,
    SpanIdentity,
    StoredAnswer,
    Usage,
)

PRICES = Prices(input=2.0, output=8.0, cached_input=0.5, reasoning=16.0, audio_input=40.0)
QUESTION = Question(
    messages=(Message(role="system", content="Hi"), Message(role="user", content="难过")),
    answer_schema=AnswerSchema(schema_id="s@1", text="{}"),
    sampling=Sampling(max_tokens=100),
)


@pytest.mark.parametrize(
    ("usage", "dollars_per_million"),
    [
        (Usage(), 0.0),
        (Usage(prompt_tokens=100), 200.0),
        (Usage(prompt_tokens=100, cached_tokens=60), 40 * 2.0 + 60 * 0.5),
        (Usage(prompt_tokens=100, audio_tokens=70), 30 * 2.0 + 70 * 40.0),
        (Usage(prompt_tokens=100, audio_tokens=70, cached_tokens=60), 70 * 40.0 + 30 * 0.5),
        # A count of sound that is no part of the question's cannot make it cheaper than nothing.
        (Usage(prompt_tokens=100, audio_tokens=150, cached_tokens=60), 100 * 40.0),
        (Usage(completion_tokens=50), 400.0),
        (Usage(completion_tokens=50, reasoning_tokens=20), 30 * 8.0 + 20 * 16.0),
    ],
)
def test_each_kind_of_token_has_its_own_price(usage, dollars_per_million):
    assert price_usage(usage, PRICES) == pytest.approx(dollars_per_million / 1e6)


def test_what_has_no_price_of_its_own_costs_as_the_whole_that_it_is_part_of():
    plain = Prices(input=2.0, output=8.0)
    usage = Usage(
        prompt_tokens=100, cached_tokens=50, audio_tokens=20, completion_tokens=50,
        reasoning_tokens=50,
    )  # fmt: skip
    assert price_usage(usage, plain) == pytest.approx((100 * 2.0 + 50 * 8.0) / 1e6)


def test_sound_may_be_billed_by_the_minute():
    assert price_usage(Usage(audio_seconds=90), Prices(audio_minute=0.006)) == pytest.approx(0.009)


def test_the_bound_of_a_question_is_its_bytes_and_the_longest_answer():
    bound = bound_question(QUESTION)
    assert bound.prompt_tokens == len("Hi") + len("难过".encode()) + len("{}") + 256 + 2 * 16
    assert (bound.completion_tokens, bound.audio_tokens) == (100, 0)
    span = SpanIdentity(source_sha256="0", channel=None, start_sample=0, end_sample=1, duration=2.0)
    heard = bound_question(QUESTION.model_copy(update={"span": span}))
    assert heard.audio_tokens == 2 * 60 + 64
    assert heard.prompt_tokens == bound.prompt_tokens + heard.audio_tokens
    assert bound_sound(2.0).audio_seconds == 2.0


counts = st.integers(min_value=0, max_value=10**6)


@given(counts, counts, counts, counts, counts, st.floats(0, 100))
def test_no_usage_within_a_bound_costs_more_than_the_bound(
    prompt, completion, cached, reasoning, audio, price
):
    bound = Usage(
        prompt_tokens=prompt, completion_tokens=completion, audio_tokens=audio % (prompt + 1)
    )
    usage = Usage(
        prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached % (prompt + 1),
        reasoning_tokens=reasoning % (completion + 1), audio_tokens=bound.audio_tokens,
    )  # fmt: skip
    prices = Prices(input=price, output=3.0, cached_input=1.0, reasoning=5.0, audio_input=2.0)
    assert price_usage(usage, prices) <= price_bound(bound, prices) + 1e-9


def test_only_what_a_server_does_not_say_is_taken_from_the_bound():
    bound = Usage(prompt_tokens=100, completion_tokens=50, audio_tokens=30)
    assert known_usage(Usage(prompt_tokens=7, completion_tokens=3), bound) == Usage(
        prompt_tokens=7, completion_tokens=3
    )
    assert known_usage(Usage(completion_tokens=3), bound) == Usage(
        prompt_tokens=100, completion_tokens=3, audio_tokens=30
    )


def test_a_call_that_does_not_fit_waits_until_others_have_settled():
    async def run():
        budget = Budget(max_usd=1.0)
        await budget.reserve(Cost(0.6, 0))
        waiting = asyncio.ensure_future(budget.reserve(Cost(0.6, 0)))
        await asyncio.sleep(0)
        assert not waiting.done()
        budget.settle(Cost(0.6, 0), Cost(0.1, 0))
        await asyncio.wait_for(waiting, 1)
        budget.settle(Cost(0.6, 0), Cost(0.6, 0))
        with pytest.raises(RunStopped, match=r"max_usd 1 is reached: 0\.7000 USD are spent") as end:
            await budget.reserve(Cost(0.31, 0))
        assert end.value.code == "budget_reached"
        await budget.reserve(Cost(0.3, 0))

    asyncio.run(run())


def test_tokens_are_a_budget_of_their_own():
    async def run():
        budget = Budget(max_tokens=100)
        await budget.reserve(Cost(5.0, 100))
        budget.settle(Cost(5.0, 100), Cost(5.0, 80))
        with pytest.raises(RunStopped, match="max_tokens 100 is reached: 80 are used"):
            await budget.reserve(Cost(0.0, 21))

    asyncio.run(run())


def meter(ledger=None, prices=PRICES, **changes):
    ledger = ledger or Ledger()
    return ledger, ledger.meter("label", "openai:m", prices, **changes)


def test_a_call_is_counted_with_its_attempts_its_tokens_and_its_cost():
    async def run():
        ledger, counted = meter()
        call = counted.begin(Usage(prompt_tokens=100, completion_tokens=100))
        assert call.tokens == 200
        await call.attempt()
        call.failed(may_be_paid=False)
        await call.attempt()
        call.failed(may_be_paid=True)
        await call.attempt()
        usd = call.settle(Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=4))
        assert usd == pytest.approx((6 * 2.0 + 4 * 0.5 + 5 * 8.0) / 1e6)
        most = (100 * 2.0 + 100 * 16.0) / 1e6
        assert ledger.snapshot()["label", "openai:m"] == Spent(
            answered=1, retried=2, prompt_tokens=10, completion_tokens=5, cached_tokens=4,
            usd=usd, lost=1, usd_lost=most,
        )  # fmt: skip
        assert ledger.budget.spent == Cost(pytest.approx(usd + most), 15 + 200)

    asyncio.run(run())


def test_a_call_that_ends_without_an_answer_gives_its_reservation_back():
    async def run():
        ledger, counted = meter(Ledger(Budget(max_tokens=150)))
        for _ in range(3):
            call = counted.begin(Usage(prompt_tokens=100))
            await call.attempt()
            call.give_up()
        assert ledger.snapshot()["label", "openai:m"].failed == 3
        assert ledger.budget.spent == Cost(0.0, 0)

    asyncio.run(run())


def test_what_runs_in_this_process_costs_nothing():
    async def run():
        ledger, counted = meter(prices=None, is_free=True)
        call = counted.begin(Usage(prompt_tokens=100, audio_seconds=9.0))
        assert call.settle(Usage()) is None
        assert ledger.snapshot()["label", "openai:m"] == Spent(answered=1)

    asyncio.run(run())


def test_an_answer_without_usage_is_marked_as_such():
    ledger, counted = meter()
    counted.begin(Usage(prompt_tokens=100, completion_tokens=10)).settle(Usage())
    spent = ledger.snapshot()["label", "openai:m"]
    assert (spent.unknown_usage, spent.tokens) == (1, 110)


def test_a_run_tells_its_money_by_stage_by_table_and_by_dialogue():
    state = RunState(("label", "attribute"), 1.0)
    label = state.ledger.meter("label", "openai:m", PRICES)
    cause = state.ledger.meter("attribute", "openai:m", PRICES)
    label.begin(Usage()).settle(Usage(prompt_tokens=500_000, completion_tokens=0))
    cause.begin(Usage()).settle(Usage(prompt_tokens=0, completion_tokens=250_000))
    cause.found(
        StoredAnswer(key="k", engine_id="openai:m", label="l", answer=Answer(text=""), usd=0.5)
    )
    for stage in state.stages:
        for _ in range(5):
            state.begin(stage)
            state.end(stage, is_failed=False)
    # Four more stand from an earlier run: this one did not ask for them.
    told = describe_run(state, datetime(2026, 1, 2, tzinfo=timezone.utc), 1.0, 9)
    assert told["money"] == {
        "usd": 3.0,
        "usd_lost_at_most": 0.0,
        "usd_paid_before": 0.5,
        "usd_per_dialogue": 0.7,
        "usd_by_table": {"stage1": 1.0, "stage2": 2.5},
    }
    asked = [
        (entry["stage"], entry["answered"], entry["stored"], entry["usd"])
        for entry in told["asked"]
    ]
    assert asked == [("label", 1, 0, 1.0), ("attribute", 1, 1, 2.0)]
    assert [entry["tokens_per_second"] for entry in told["asked"]] == [500_000.0, 250_000.0]


def answered(key: str, usd: float) -> StoredAnswer:
    return StoredAnswer(key=key, engine_id="openai:m", label="l", answer=Answer(text=""), usd=usd)


def test_money_that_was_paid_before_counts_once_whoever_finds_the_answer():
    ledger, label = meter()
    cause = ledger.meter("attribute", "openai:m", PRICES)
    label.found(answered("k", 0.5))
    cause.found(answered("k", 0.5))
    cause.found(answered("l", 0.25))
    spent = ledger.snapshot()
    assert [(one.stored, one.usd_stored) for one in spent.values()] == [(1, 0.5), (2, 0.25)]


def test_what_this_run_paid_is_not_paid_before_when_it_is_found_again():
    ledger, counted = meter()
    usd = counted.begin(Usage(), "k").settle(Usage(prompt_tokens=500_000))
    counted.found(answered("k", usd))
    spent = ledger.snapshot()["label", "openai:m"]
    assert (spent.answered, spent.stored, spent.usd, spent.usd_stored) == (1, 1, 1.0, 0.0)


def test_keys_that_are_remembered_are_bounded_and_the_newest_stay(monkeypatch):
    monkeypatch.setattr("ieat.pipeline.spending.ledger.MAX_COUNTED", 2)
    counted = Counted()
    assert [counted.add(key) for key in ("a", "b", "a", "c", "a", "b")] == [
        True, True, False, True, False, True,
    ]  # fmt: skip


def test_an_answer_takes_the_time_since_its_last_attempt():
    async def run():
        ledger, counted = meter(Ledger(Budget(max_tokens=100)))
        call = counted.begin(Usage(prompt_tokens=100))
        await call.attempt()
        await asyncio.sleep(0.05)
        call.failed(may_be_paid=False)
        await call.attempt()
        await asyncio.sleep(0.01)
        call.settle(Usage())
        spent = ledger.snapshot()["label", "openai:m"]
        assert 0.01 <= spent.latency < 0.05
        assert Spent().latency is None

    asyncio.run(run())


def test_the_last_lines_of_a_run_say_what_was_asked():
    total = sum_spent(
        [
            Spent(answered=1000, stored=200, retried=3, prompt_tokens=900_000, cached_tokens=5),
            Spent(answered=4, failed=1, lost=2, completion_tokens=100_000, usd=0.5, usd_lost=0.25),
        ]
    )
    assert describe_asked(total) == (
        "1,205 questions (200 from the store, 3 retried, 1 without an answer, 2 lost on the way), "
        "1,000,000 tokens (5 cached), 0.7500 USD"
    )
    assert describe_asked(Spent()) == ""
