"""A budget holds however many calls are in flight, and the next run goes on."""

import threading

import pytest

from ieat.pipeline.cli import run
from ieat.pipeline.config import load_config
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.main import build
from tests.openai_server import OpenAIServer, Reply, Request, chat, late, reset
from tests.talk_build import build_config, talks
from tests.talk_script import asked, endpoint, good_answer

IN_FLIGHT = 256
PRICES = {"input": 2.0, "cached_input": 0.5, "output": 8.0, "reasoning": 16.0}


class Billing:
    """An endpoint that bills each answer by its question, and adds up the bill."""

    def __init__(self, *, says_usage: bool = True, loses: bool = False) -> None:
        self.usd = 0.0
        self.tokens = 0
        self.num_answered = 0
        self._says_usage = says_usage
        self._loses = loses
        self.lost: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        size = len(request.words.encode())
        prompt, cached, reasoning = size // 4, size // 8, 20
        completion = reasoning + 40
        with self._lock:
            self.usd += ((prompt - cached) * 2.0 + cached * 0.5 + 40 * 8.0 + reasoning * 16.0) / 1e6
            self.tokens += prompt + completion
            # Of every third question the first answer is lost on the way, and billed.
            if self._loses and size % 3 == 0 and request.words not in self.lost:
                self.lost.add(request.words)
                return reset()
            self.num_answered += 1
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }
        reply = chat(good_answer(asked(request)), usage=usage if self._says_usage else {"x": 1})
        return late(reply, 0.05)


def configured(folder, server, count, **changes):
    settings = {"prices": PRICES, "in_flight": IN_FLIGHT, "max_wait": 0.05, "max_tokens": 100}
    # Budgets here are reckoned for questions of these lengths, whichever versions are the default.
    prompts = {"joint": 1, "response": 1}
    values = {
        "language_model_settings": settings, "in_flight": IN_FLIGHT, "prompts": prompts
    } | changes  # fmt: skip
    return build_config(folder, talks(count), server.base_url, **values)


def test_dollars_are_never_exceeded_at_256_in_flight_and_the_next_run_pays_the_rest(tmp_path):
    bill = Billing()
    with OpenAIServer(bill) as server:
        config = configured(tmp_path, server, 200, max_usd=0.2)
        report = build(config)
        assert (report.exit_code, report.stop_code) == (3, "budget_reached")
        assert 0.15 < bill.usd <= 0.2
        assert server.most_in_flight > 20
        first = bill.num_answered
        left = report.manifest.books.dialogues.num_not_reached
        assert left > 0
        assert f"not reached {left}" in report.describe()
        assert "the same command goes on" in report.describe()
        assert "the budget max_usd 0.2 is reached" in report.describe()
        whole = build(config.model_copy(update={"max_usd": None}))
        assert (whole.exit_code, whole.manifest.books.dialogues.written) == (0, 200)
        # Every answer was paid once: what was in flight at the end of the first run is stored.
        assert bill.num_answered == server.count() == 800
        assert first < 800


def test_tokens_are_never_exceeded(tmp_path):
    bill = Billing()
    with OpenAIServer(bill) as server:
        report = build(configured(tmp_path, server, 40, max_tokens=30_000))
    assert report.stop_code == "budget_reached"
    assert 20_000 < bill.tokens <= 30_000


def test_answers_without_usage_count_by_their_bound(tmp_path):
    bill = Billing(says_usage=False)
    with OpenAIServer(bill) as server:
        report = build(configured(tmp_path, server, 40, max_usd=0.05))
    assert report.stop_code == "budget_reached"
    assert bill.usd < 0.05


def test_attempts_that_are_lost_on_the_way_count_by_their_bound(tmp_path):
    bill = Billing(loses=True)
    with OpenAIServer(bill) as server:
        report = build(configured(tmp_path, server, 60, max_usd=0.1))
    assert report.stop_code == "budget_reached"
    assert bill.lost
    assert bill.usd <= 0.1


def test_a_budget_below_one_call_asks_nothing(tmp_path):
    with OpenAIServer(endpoint) as server:
        report = build(configured(tmp_path, server, 3, max_usd=1e-6))
        assert server.count() == 0
    assert report.exit_code == 3
    assert "0.0000 USD are spent, and one more call may cost 0.0" in report.stop_message


def test_dollars_without_prices_are_a_mistake(tmp_path, capsys):
    (tmp_path / "talks.jsonl").write_text(talks(1)[0] + "\n")
    code = run(
        [
            *("build", "--input", str(tmp_path / "talks.jsonl"), "--output", str(tmp_path / "out")),
            *("--recognizer", "gold", "--labeler", "llm", "--language-model", "openai:m"),
            *("--max-usd", "1"),
        ],
        [],
    )
    assert code == 2
    error = capsys.readouterr().err
    assert "max_usd needs language_model_settings.prices" in error
    assert error.count("\n") == 1


def test_the_recognizer_needs_a_price_too(tmp_path):
    values = {
        "inputs": [{"path": "talks.jsonl"}],
        "output": str(tmp_path / "out"),
        "recognizer": "openai:whisper-1",
        "max_usd": 1.0,
    }
    with pytest.raises(ConfigError, match=r"max_usd needs recognizer_settings.prices"):
        load_config(None, values)
    priced = values | {"recognizer_settings": {"prices": {"audio_minute": 0.006}}}
    assert load_config(None, priced).max_usd == 1.0
