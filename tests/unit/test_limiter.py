"""The limiter: configured rates, rates that a server tells or lets feel, and who shares them."""

import asyncio
import sqlite3
import time
from email.utils import formatdate

import pytest

from ieat.pipeline.engines.limiter import FILE_NAME, GROWTH, MAX_AHEAD, Limiter
from ieat.pipeline.engines.rate_headers import (
    Allowance,
    read_allowance,
    read_duration,
    read_retry_after,
)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 1_000_000.0
        self.slept = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def limiter(clock, folder=None, **limits):
    return Limiter(folder, "m at here", clock=clock, sleep=clock.sleep, **limits)


def starts(clock, limited, count, tokens=100):
    """Return when each of some calls may begin, in seconds from now."""
    began = clock.now

    async def ask():
        begun = []

        async def one(number):
            await limited.admit(tokens)
            begun.append((number, round(clock.now - began, 3)))

        await asyncio.gather(*(one(number) for number in range(count)))
        return begun

    return asyncio.run(ask())


def test_without_any_limit_calls_begin_at_once_and_nothing_is_written(tmp_path):
    clock = Clock()
    limited = limiter(clock, tmp_path)
    assert starts(clock, limited, 500) == [(number, 0.0) for number in range(500)]
    limited.answered({})
    with sqlite3.connect(tmp_path / FILE_NAME) as file:
        assert file.execute("SELECT count(*) FROM limits").fetchone() == (0,)


def test_requests_begin_at_the_configured_rate_in_the_order_in_which_they_came():
    clock = Clock()
    begun = starts(clock, limiter(clock, requests_per_second=50.0), 500)
    assert [number for number, _ in begun] == list(range(500))
    # A tenth of a second may begin early: five calls and the first one.
    assert begun[5] == (5, 0.0)
    assert begun[-1][1] == pytest.approx(499 / 50 - 0.1, abs=0.02)


def test_tokens_begin_at_the_configured_rate_by_what_calls_really_use():
    clock = Clock()
    limited = limiter(clock, tokens_per_second=1000.0)
    for _ in range(200):
        limited.settle(400, 100.0, 100)
    clock.now += 1000
    begun = starts(clock, limited, 41, tokens=400)
    # A quarter of the bound is used: 100 tokens a call, ten calls a second.
    assert begun[-1][1] == pytest.approx(40 / 10 - 0.1, abs=0.1)


def test_what_a_call_used_beyond_its_reckoning_is_made_up_for():
    clock = Clock()
    limited = limiter(clock, tokens_per_second=100.0)
    asyncio.run(limited.admit(100))
    limited.settle(100, 50.0, 100)
    assert starts(clock, limited, 1, tokens=100)[0][1] == pytest.approx(0.9, abs=0.01)


def test_processes_share_one_rate_through_the_folder(tmp_path):
    clock = Clock()
    one = limiter(clock, tmp_path, requests_per_second=10.0)
    other = limiter(clock, tmp_path, requests_per_second=10.0)

    async def ask():
        for _ in range(10):
            await one.admit(1)
            await other.admit(1)

    began = clock.now
    asyncio.run(ask())
    assert clock.now - began == pytest.approx(1.8, abs=0.01)


def test_a_pause_that_the_server_asks_for_holds_for_everybody(tmp_path):
    clock = Clock()
    one, other = limiter(clock, tmp_path), limiter(clock, tmp_path)
    one.refused({"retry-after": "7"})
    assert starts(clock, other, 1)[0][1] == pytest.approx(7.0)


def test_a_pause_holds_for_those_who_wait_already():
    clock = Clock()
    limited = limiter(clock, requests_per_second=1.0)
    told = False

    async def sleep(seconds):
        nonlocal told
        clock.now += seconds
        if not told:
            told = True
            limited.refused({"retry-after": "30"})

    limited.sleep = sleep
    begun = starts(clock, limited, 2)
    assert begun[0][1] == 0.0
    assert begun[1][1] >= 30.0


def test_a_pause_is_never_longer_than_the_longest_wait():
    clock = Clock()
    limited = limiter(clock, max_pause=60.0)
    limited.refused({"retry-after": "86400"})
    assert starts(clock, limited, 1)[0][1] == pytest.approx(60.0)


def test_a_rate_that_headers_tell_is_kept_to_once_half_of_it_is_used():
    clock = Clock()
    limited = limiter(clock)
    told = {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "590",
        "x-ratelimit-reset-requests": "1s",
    }
    limited.answered(told)
    assert starts(clock, limited, 100)[-1][1] == 0.0
    limited.answered(
        told | {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m0s"}
    )
    assert starts(clock, limited, 101)[-1][1] == pytest.approx(10.0 / 0.97 - 0.1, abs=0.11)


def test_tokens_that_headers_tell_are_kept_to_as_well():
    clock = Clock()
    limited = limiter(clock)
    limited.answered(
        {
            "x-ratelimit-limit-tokens": "6000",
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "60s",
        }
    )
    # 200 tokens at most, half of it reckoned: one call a second.
    assert starts(clock, limited, 11, tokens=200)[-1][1] == pytest.approx(10 / 0.97, abs=0.2)


def test_a_refusal_that_nothing_foretold_cuts_the_rate_once_for_all_that_were_under_way():
    clock = Clock()
    limited = limiter(clock)
    for _ in range(100):
        clock.now += 0.01
        limited.answered({})
    for _ in range(50):
        limited.refused({})
    # A hundred answers came in the last second: the rate to go on with, searching upwards.
    assert starts(clock, limited, 101)[-1][1] == pytest.approx(0.8, abs=0.1)


def test_a_rate_that_was_found_out_grows_again_and_is_forgotten(tmp_path):
    clock = Clock()
    limited = limiter(clock, tmp_path)
    for _ in range(2):
        clock.now += 10
        for _ in range(20):
            limited.answered({})
            clock.now += 0.1
        limited.refused({})
    soon = starts(clock, limiter(clock, tmp_path), 11)[-1][1]
    clock.now += 60
    later = starts(clock, limiter(clock, tmp_path), 11)[-1][1]
    clock.now += 60
    assert soon == pytest.approx(0.9, abs=0.05)
    assert later == pytest.approx(1.0 / (1 + GROWTH) ** 61 - 0.1, abs=0.05)
    assert starts(clock, limiter(clock, tmp_path), 11)[-1][1] == 0.0


def test_a_start_that_another_clock_booked_does_not_stall(tmp_path):
    clock = Clock()
    limited = limiter(clock, tmp_path, requests_per_second=10.0)
    asyncio.run(limited.admit(1))
    clock.now -= 3600
    assert starts(clock, limited, 1)[0][1] <= MAX_AHEAD * 0.1


def test_a_pause_that_another_clock_set_is_ignored(tmp_path):
    clock = Clock()
    limited = limiter(clock, tmp_path)
    limited.refused({"retry-after": "30"})
    clock.now -= 3600
    limited.answered({})
    assert starts(clock, limiter(clock, tmp_path), 1)[0][1] == 0.0


def test_whoever_stops_waiting_gives_the_turn_to_the_next():
    clock = Clock()
    limited = limiter(clock, requests_per_second=1.0)
    begun = []

    async def one(number):
        await limited.admit(1)
        begun.append(number)

    async def ask():
        tasks = [asyncio.ensure_future(one(number)) for number in range(4)]
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(ask())
    assert begun == [0, 1, 3]


def test_a_folder_that_cannot_hold_the_file_limits_this_process_alone(tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    clock = Clock()
    limited = limiter(clock, file, requests_per_second=10.0)
    assert starts(clock, limited, 11)[-1][1] == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0), ("6m0s", 360.0), ("12ms", 0.012), ("1.5s", 1.5), ("1h2m3s", 3723.0),
        ("1d", 86400.0), ("20", 20.0), ("", None), (None, None), ("soon", None), ("-3", 0.0),
    ],
)  # fmt: skip
def test_durations_are_read_in_every_form_that_servers_write(text, seconds):
    assert read_duration(text) == seconds


def test_an_allowance_says_how_fast_it_comes_back():
    headers = {
        "x-ratelimit-limit-tokens": "40000",
        "x-ratelimit-remaining-tokens": "10000",
        "x-ratelimit-reset-tokens": "45s",
    }
    told = read_allowance(headers, "tokens")
    assert told == Allowance(40000.0, 10000.0, 45.0)
    assert (told.is_scarce, told.rate) == (True, pytest.approx(30000 / 45))
    assert read_allowance(headers, "requests") is None
    assert read_allowance(headers | {"x-ratelimit-limit-tokens": "many"}, "tokens") is None


def test_retry_after_is_read_as_seconds_milliseconds_and_date():
    assert read_retry_after({"retry-after": "3"}) == 3.0
    assert read_retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    date = formatdate(time.time() + 100, usegmt=True)
    assert read_retry_after({"retry-after": date}) == pytest.approx(100, abs=2)
    assert read_retry_after({"retry-after": "later"}) is None
    assert read_retry_after({}) is None
