# SPDX-License-Identifier: MIT
"""What the records of a run of ./run bench wine say: pure functions, held by tests/tools/test_bench_wine.py.

A host's record of a span is the times at which its callbacks began, in ns, with the first one after the span: so that the steps between
them cover the span and each step belongs to one span only.
"""
import numpy

RATE = 48000
SILENT_NS = 500000000  # a host whose records end so long before the span does was not called any more
# what a row compares, and where it is in a judgement
FIGURES = {"jitter_median": ("jitter_us", "median"), "jitter_p99": ("jitter_us", "p99"), "jitter_p99_9": ("jitter_us", "p99_9"),
           "late": ("late_callbacks",), "missed": ("missed_callbacks",), "late_and_missed": ("late_and_missed",), "xruns": ("xruns",),
           "cpu": ("cpu_us_per_callback",), "round_trip": ("round_trip_frames", "measured", 0)}
COUNTS = ("late", "missed", "late_and_missed", "xruns")


def quantiles(values):
    return {name: round(float(numpy.percentile(values, share)), 2)
            for name, share in (("median", 50), ("p99", 99), ("p99_9", 99.9))} if len(values) else None


def nominal_ns(frames):
    return frames * 1e9 / RATE


def late_times(begins, frames):
    """When callbacks began that came more than half a period later after the one before than they should."""
    return begins[1:][numpy.diff(begins) > 1.5 * nominal_ns(frames)]


def missed_callbacks(begins, seconds, frames):
    """Callbacks that the clock says should have been between the first and the last one; and until the span's end, had they ended."""
    nominal = nominal_ns(frames)
    steps = max(len(begins) - 1, 0)
    passed = float(begins[-1] - begins[0]) if steps else 0.0
    silent = seconds * 1e9 - passed
    return max(0, round(passed / nominal) - steps) + (round(silent / nominal) if silent > SILENT_NS else 0)


def judge(frames, begins, seconds, cpu_ns, xruns=None, round_trip=None):
    """begins: one array a host. cpu_ns: by process name. xruns: as the server counts them, None: nobody counted."""
    nominal = nominal_ns(frames)
    callbacks = sum(max(len(one) - 1, 0) for one in begins)
    late = sum(len(late_times(one, frames)) for one in begins)
    missed = sum(missed_callbacks(one, seconds, frames) for one in begins)
    spent = sum(cpu_ns.values())
    return {"jitter_us": quantiles(numpy.concatenate([numpy.abs(numpy.diff(one) - nominal) / 1e3 for one in begins])),
            "late_callbacks": late, "missed_callbacks": missed, "late_and_missed": late + missed, "xruns": xruns, "callbacks": callbacks,
            "expected_callbacks": round(len(begins) * seconds * 1e9 / nominal),
            "cpu_us_per_callback": round(spent / 1e3 / max(callbacks, 1), 1),
            "cpu_us_by_process": {name: round(used / 1e3 / max(callbacks, 1), 1) for name, used in sorted(cpu_ns.items())},
            "cpu_percent": round(100 * spent / 1e9 / seconds, 2), "round_trip_frames": round_trip}


def heard_round_trip(ping):
    """Of a host's report."""
    trip = ping["round_trip_measured"]
    return {"reported": ping["round_trip_reported"], "measured": [trip["min"], trip["max"]] if trip["count"] else None}


def pick(judged, path):
    for key in path:
        judged = judged[key] if judged is not None else None
    return judged


def middle(judged, *path):
    values = [value for value in (pick(one, path) for one in judged) if value is not None]
    return float(numpy.median(values)) if values else None


def total(judged, *path):
    values = [value for value in (pick(one, path) for one in judged) if value is not None]
    return sum(values) if values else None


def ratios(ours, theirs):
    """Ours / theirs of every figure: counts summed up over the run, the others round by round. None: nothing to divide by."""
    result = {}
    for name, path in FIGURES.items():
        if name in COUNTS:
            mine, other = total(ours, *path), total(theirs, *path)
            result[name] = {"ours": mine, "theirs": other, "median": round(mine / other, 2) if other and mine is not None else None}
            continue
        pairs = [pick(a, path) / pick(b, path) for a, b in zip(ours, theirs) if pick(b, path) and pick(a, path) is not None]
        result[name] = {"median": round(float(numpy.median(pairs)), 2), "min": round(min(pairs), 2), "max": round(max(pairs), 2)} if pairs else None
    return result


def shared(ours, theirs, frames, within_ns):
    """The share of our late callbacks that have one of theirs near: the machine stood still. Both ran at the same time."""
    mine = numpy.sort(numpy.concatenate([late_times(one, frames) for one in ours]))
    other = numpy.sort(numpy.concatenate([late_times(one, frames) for one in theirs]))
    if not len(mine):
        return None
    near = numpy.searchsorted(other, mine + within_ns, "right") > numpy.searchsorted(other, mine - within_ns, "left")
    return round(float(near.mean()), 3)
