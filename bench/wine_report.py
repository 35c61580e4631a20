# SPDX-License-Identifier: MIT
"""Lines and tables of ./run bench wine."""
from made_by import made_by_line, write_between
from wine_judge import middle, total

AIM_JITTER = 1.3  # of the peer's p99, with one host
WAYS_BEGIN, WAYS_END = "<!-- ways: written by ./run bench wine --only ways --wine32 --results -->\n", "<!-- end of ways -->\n"
BEGIN, END = "<!-- wine: written by ./run bench wine --results -->\n", "<!-- end of wine -->\n"
TITLES = {
    "transport": "Native engine through the bridge, and the Windows engine under Wine; no sound server",
    "jack": "Tutti and WineASIO on JACK2's dummy driver, in turns",
    "beside": "Tutti and WineASIO at the same time on one JACK2 dummy driver, ratios per part of the run",
    "pipewire": "Tutti and WineASIO (by PipeWire's libjack) on PipeWire, in turns",
    "beside_pipewire": "Tutti and WineASIO (by PipeWire's libjack) at the same time on one PipeWire server, ratios per part of the run",
    "pipeasio": "Tutti and PipeASIO on PipeWire, in turns"}
SIDES = {"transport": ("native", "windows"), "pipeasio": ("tutti", "pipeasio")}


def sides_of(part):
    return SIDES.get(part, ("tutti", "wineasio"))


def number(value, digits=0):
    return "?" if value is None else f"{value:.{digits}f}"


def trip_of(runs):
    trip = next((run["round_trip_frames"] for run in runs[::-1] if run["round_trip_frames"]), None)
    return f"{trip['measured'][0]} ({trip['reported']})" if trip and trip["measured"] else "?"


def jitter_of(runs):
    return " / ".join(number(middle(runs, "jitter_us", which)) for which in ("median", "p99", "p99_9"))


def lost_of(runs):
    return f"{total(runs, 'late_callbacks')} + {total(runs, 'missed_callbacks')}"


def line(row, names):
    words = [f"{row['frames']:4} frames {row['hosts']} hosts "]
    for name in names:
        runs = row[name]
        spent = "  ".join(f"{process} {middle(runs, 'cpu_us_by_process', process):.0f}" for process in runs[-1]["cpu_us_by_process"])
        words.append(f"{name}: jitter us {jitter_of(runs)}  late + missed {lost_of(runs)} of {total(runs, 'expected_callbacks')}  "
                     f"xruns {number(total(runs, 'xruns'))}  cpu us {number(middle(runs, 'cpu_us_per_callback'), 1)} ({spent})  "
                     f"round trip {trip_of(runs)}")
    ratio = row["ratio"]
    words.append("ratio " + "  ".join(f"{name} {ratio[name]['median'] if ratio[name] else '-'}" for name in ratio))
    if row.get("late_shared"):
        words.append(f"late with one of the other's near: {row['late_shared']}")
    return "\n    ".join(words)


def where(rows, holds):
    """The rows for which it holds, as frames/hosts."""
    return ", ".join(f"{row['frames']}/{row['hosts']}" for row in rows if holds(row)) or "nowhere"


def in_words(rows, ours, theirs):
    """What the table says, the bad as well as the good."""
    def above(name, most):
        return lambda row: row["ratio"][name] and row["ratio"][name]["median"] is not None and row["ratio"][name]["median"] > most

    def more(name):
        return lambda row: (row["ratio"][name]["ours"] or 0) > (row["ratio"][name]["theirs"] or 0)
    counted = any(row["ratio"]["xruns"]["ours"] is not None for row in rows)
    return (f"Frames/hosts. Jitter's p99 above {AIM_JITTER} of {theirs}'s: {where(rows, above('jitter_p99', AIM_JITTER))}; above it at all: "
            f"{where(rows, above('jitter_p99', 1))}. More late and missed callbacks than {theirs}: {where(rows, more('late_and_missed'))}; "
            f"{'more xruns: ' + where(rows, more('xruns')) if counted else 'xruns were not counted'}; more processor time: {where(rows, above('cpu', 1))}; a longer round trip: "
            f"{where(rows, above('round_trip', 1))}.")


def comparison(rows, ours, theirs):
    lines = [f"| frames | hosts | jitter µs, median / p99 / p99.9: {ours} | {theirs} | ratio of p99 | late + missed callbacks, {ours} / {theirs} | of "
             f"| the server's xruns, {ours} / {theirs} | processor µs a callback, {ours} / {theirs} | round trip heard (told), {ours} / {theirs} |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        a, b, ratio = row[ours], row[theirs], row["ratio"]["jitter_p99"]
        ratio = f"{ratio['median']} ({ratio['min']}–{ratio['max']})" if ratio else "?"
        lines.append(f"| {row['frames']} | {row['hosts']} | {jitter_of(a)} | {jitter_of(b)} | {ratio} | {lost_of(a)} / {lost_of(b)} "
                     f"| {total(a, 'expected_callbacks')} | {number(total(a, 'xruns'))} / {number(total(b, 'xruns'))} "
                     f"| {number(middle(a, 'cpu_us_per_callback'))} / {number(middle(b, 'cpu_us_per_callback'))} | {trip_of(a)} / {trip_of(b)} |")
    lines += ["", in_words(rows, ours, theirs)]
    for row in rows:
        near = row.get("late_shared")
        if near:
            lines += ["", f"{row['frames']} frames, {row['hosts']} a side: of {ours}'s late callbacks {near['ours_1_ms']:.0%} have a late one of "
                          f"{theirs}'s within a millisecond, {near['ours_10_ms']:.0%} within ten."]
    return lines


def ways_table(rows):
    lines = ["| Wine | bits | way there and back | median µs | p99 µs | p99.9 µs |", "|---|---|---|---|---|---|"]
    return lines + [f"| {row['wine']} | {row['bits']} | {row['way']} | {row['median_us']:.1f} | {row['p99_us']:.1f} | {row['p99_9_us']:.1f} |"
                    for row in rows]


def tables(report):
    lines = []
    for part, title in TITLES.items():
        if part in report and part in report["made_by"]:
            lines += [f"{title}: {made_by_line(report['made_by'][part])}", "", *comparison(report[part], *sides_of(part)), ""]
    return lines


def write_results(report, top):
    """The ways belong to the decision that they are the reason for."""
    write_between(top / "bench/RESULTS.md", BEGIN, END, tables(report))
    if report.get("ways"):
        write_between(top / "docs/adr/0005-wine-transport.md", WAYS_BEGIN, WAYS_END,
                      [made_by_line(report["made_by"]["ways"]), "", *ways_table(report["ways"]), ""])
