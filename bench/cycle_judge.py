# SPDX-License-Identifier: MIT
"""What the records of one run say: pure functions, held by tests/tools/test_bench_cycle.py.

A program's records are rows of cycle number, call and done; the server's timers are rows of due and awake; all in ns of one clock.
"""
import numpy

RATE = 48000


def quantiles(values):
    if not len(values):
        return {"median": None, "p99": None, "max": None}
    return {"median": float(numpy.median(values)), "p99": float(numpy.percentile(values, 99)), "max": float(numpy.max(values))}


def merge(tables):
    """Call and done of each program (rows) in each cycle (columns) from the first that all had begun to the last that all reached; 0: not in it."""
    low = max(int(table[0, 0]) for table in tables)
    length = min(int(table[-1, 0]) for table in tables) - low + 1
    call, done = numpy.zeros((2, len(tables), max(length, 0)), dtype=numpy.int64)
    for row, table in enumerate(tables):
        inside = table[(table[:, 0] >= low) & (table[:, 0] < low + length)]
        call[row, inside[:, 0] - low] = inside[:, 1]
        done[row, inside[:, 0] - low] = inside[:, 2]
    return call, done


def overslept(timers, first_ns, last_ns, frames):
    """Cycles that went by while the server's own timer was over and it did not run: no program was called yet, so none is to blame."""
    due, awake = timers[(timers[:, 0] >= first_ns) & (timers[:, 0] <= last_ns)].T
    return int(numpy.round((awake - due) * RATE / frames / 1e9).sum())


def judge(tables, timers, frames):
    """A cycle counts when all programs ran in it. Expected are those that fit between the due times of the first and the last one, by
    the clock alone: neither what a slow reader took nor a server's own count of frames adds to them."""
    call, done = merge(tables)
    ran = done > 0
    whole, somebody = ran.all(axis=0), ran.any(axis=0)
    first = numpy.where(ran, call, numpy.iinfo(numpy.int64).max).min(axis=0)
    which = numpy.maximum(numpy.searchsorted(timers[:, 1], first) - 1, 0)  # the last wake-up of the server before anybody was called
    due, awake = timers[which].T
    expected = round((due[-1] - due[0]) * RATE / frames / 1e9) + 1
    last_done = (done.max(axis=0) - due)[whole]
    return {
        "last_done_us": quantiles(last_done / 1000),
        "server_awake_us": quantiles((awake - due)[whole] / 1000),
        "first_call_us": quantiles((first - due)[whole] / 1000),
        "cycles": int(whole.sum()), "expected": expected, "missed": max(0, expected - int(whole.sum())),
        "somebody_missing": int((somebody & ~whole).sum()), "overslept": overslept(timers, int(due[0]), int(due[-1]), frames),
        "longest_gap_ms": max(float(numpy.diff(table[:, 1]).max(initial=0)) / 1e6 for table in tables),
    }


def over(rounds, pick):
    """Median over the rounds, with their spread."""
    values = [pick(one) for one in rounds]
    return {"median": float(numpy.median(values)), "min": float(min(values)), "max": float(max(values))}


def summary(rounds):
    return {
        "last_done_median_us": over(rounds, lambda one: one["last_done_us"]["median"]),
        "last_done_p99_us": over(rounds, lambda one: one["last_done_us"]["p99"]),
        "missed_cycles": sum(one["missed"] for one in rounds), "missed_most_in_a_round": max(one["missed"] for one in rounds),
        "somebody_missing": sum(one["somebody_missing"] for one in rounds), "overslept": sum(one["overslept"] for one in rounds),
        "expected_cycles": sum(one["expected"] for one in rounds),
        "processor_percent": over(rounds, lambda one: one["processor_percent"]["all"]),
        "server_percent": over(rounds, lambda one: one["processor_percent"]["server"]),
        "switches_per_cycle": over(rounds, lambda one: one["switches_per_cycle"]),
        "rounds": rounds,
    }


def ratios(ours, theirs):
    """Tutti / peer, round by round: they alternated."""
    picks = {"last_done_median": lambda one: one["last_done_us"]["median"], "last_done_p99": lambda one: one["last_done_us"]["p99"],
             "processor": lambda one: one["processor_percent"]["all"], "server": lambda one: one["processor_percent"]["server"],
             "switches": lambda one: one["switches_per_cycle"]}
    pairs = list(zip(ours, theirs))
    return {name: over(pairs, lambda pair, pick=pick: pick(pair[0]) / pick(pair[1])) for name, pick in picks.items()}

