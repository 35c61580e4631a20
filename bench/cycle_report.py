# SPDX-License-Identifier: MIT
"""Tables and plot of ./run bench cycle."""
import subprocess

from made_by import made_by_line, write_between

AIM_TIME, AIM_PROCESSOR, AIM_FROM = 0.8, 0.6, 8  # of the peer's, and from how many programs on
BEGIN, END = "<!-- cycle: written by ./run bench cycle --results -->\n", "<!-- end of cycle -->\n"


def last_done_line(row, peer):
    ours, theirs, ratio = row["tutti"], row[peer], row["ratio"]
    return (f"{row['frames']:4} frames {row['programs']:3} programs  "
            f"last done us: tutti {ours['last_done_median_us']['median']:6.1f} / {ours['last_done_p99_us']['median']:6.1f}  "
            f"{peer} {theirs['last_done_median_us']['median']:6.1f} / {theirs['last_done_p99_us']['median']:6.1f}  "
            f"ratio {ratio['last_done_median']['median']:.2f} ({ratio['last_done_median']['min']:.2f}-{ratio['last_done_median']['max']:.2f})  "
            f"cpu % {ours['processor_percent']['median']:5.2f} / {theirs['processor_percent']['median']:5.2f} "
            f"ratio {ratio['processor']['median']:.2f}  server {ours['server_percent']['median']:.2f} / {theirs['server_percent']['median']:.2f}  "
            f"missed {ours['missed_cycles']} / {theirs['missed_cycles']}  "
            f"switches {ours['switches_per_cycle']['median']:.1f} / {theirs['switches_per_cycle']['median']:.1f}")


def stopped_line(row):
    return (f"one of {row['programs']} stopped: {row['system']:10} the others missed {row['missed_cycles']} of {row['expected_cycles']} cycles, "
            f"done us p99 {row['last_done_p99_us']['median']:.0f}, longest {row['last_done_max_us']['median']:.0f}, "
            f"longest gap {row['longest_gap_ms']['median']:.1f} ms")


def spread(value, digits=2):
    return f"{value['median']:.{digits}f} ({value['min']:.{digits}f}–{value['max']:.{digits}f})"


def cost_table(rows):
    lines = ["| against | | median ns | p99 ns | instructions | most of them in |", "|---|---|---|---|---|---|"]
    for row in rows:
        most = ", ".join(f"`{name}` {100 * value / max(row['instructions'], 1):.0f} %" for name, value in list(row["functions"].items())[:2])
        lines.append(f"| {row['against']} | {row['number']} | {row['median_ns']} | {row['p99_ns']} | {row['instructions']} | {most} |")
    return lines


def missed(system):
    """With those that the server's own sleep took, and the worst round, where it has most of them."""
    total, most = system["missed_cycles"], system["missed_most_in_a_round"]
    words = [f"{system['overslept']} overslept"] if total and system["overslept"] else []
    words += [f"{most} in one round"] if total > 10 and 2 * most > total and len(system["rounds"]) > 1 else []
    return f"{total} ({', '.join(words)})" if words else str(total)


def last_done_table(rows, peer, title):
    lines = [f"| frames | programs | last done µs, median / p99: Tutti | {title} | ratio of medians | ratio of p99 | processor %, Tutti / {title} | ratio "
             f"| of it the server's | switches a cycle | missed cycles, Tutti / {title} |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        ours, theirs, ratio = row["tutti"], row[peer], row["ratio"]
        lines.append(
            f"| {row['frames']} | {row['programs']} | {ours['last_done_median_us']['median']:.0f} / {ours['last_done_p99_us']['median']:.0f} "
            f"| {theirs['last_done_median_us']['median']:.0f} / {theirs['last_done_p99_us']['median']:.0f} | {spread(ratio['last_done_median'])} "
            f"| {spread(ratio['last_done_p99'])} "
            f"| {ours['processor_percent']['median']:.1f} / {theirs['processor_percent']['median']:.1f} | {spread(ratio['processor'])} "
            f"| {ours['server_percent']['median']:.1f} / {theirs['server_percent']['median']:.1f} "
            f"| {ours['switches_per_cycle']['median']:.1f} / {theirs['switches_per_cycle']['median']:.1f} "
            f"| {missed(ours)} / {missed(theirs)} of {ours['expected_cycles']} |")
    return lines


def where(rows, holds):
    """The rows for which it holds, as frames/programs."""
    return ", ".join(f"{row['frames']}/{row['programs']}" for row in rows if holds(row)) or "nowhere"


def in_words(rows, peer, title):
    """What the table says against the aims, the bad as well as the good."""
    many = [row for row in rows if row["programs"] >= AIM_FROM]

    def ratio(name, most):
        return lambda row: row["ratio"][name]["median"] <= most

    def worse(name):
        return lambda row: row["ratio"][name]["median"] > 1
    return (f"Frames/programs, by the median ratio. Last done after at most {AIM_TIME} of {title}'s time, at {AIM_FROM} and more programs: "
            f"{where(many, ratio('last_done_median', AIM_TIME))}; at most {AIM_PROCESSOR} of its processor share: "
            f"{where(many, ratio('processor', AIM_PROCESSOR))}. Worse than {title}: last done at {where(rows, worse('last_done_median'))}, its p99 at "
            f"{where(rows, worse('last_done_p99'))}, processor share at {where(rows, worse('processor'))}, the server's part of it at "
            f"{where(rows, worse('server'))}, missed cycles at "
            f"{where(rows, lambda row: row['tutti']['missed_cycles'] > row[peer]['missed_cycles'])}.")


def stopped_table(rows):
    lines = [f"| one of {rows[0]['programs']} programs stopped for 2 s, then killed; {rows[0]['frames']} frames, {len(rows[0]['rounds'])} rounds "
             "| cycles that the others missed | last of the others done, µs: p99 | longest | longest gap ms |", "|---|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row['system']} | {row['missed_cycles']} of {row['expected_cycles']} | {spread(row['last_done_p99_us'], 0)} "
                     f"| {spread(row['last_done_max_us'], 0)} | {spread(row['longest_gap_ms'], 1)} |")
    return lines


def plot(rows, path):
    """Two panels per buffer size: time to the last program's end, and processor share."""
    sizes = sorted({row["frames"] for row in rows})
    blocks = []
    for size in sizes:
        for system in ("tutti", "jack2"):
            name = f"${system}{size}"
            lines = [f"{row['programs']} {row[system]['last_done_median_us']['median']:.2f} {row[system]['last_done_p99_us']['median']:.2f} "
                     f"{row[system]['processor_percent']['median']:.3f}" for row in rows if row["frames"] == size]
            blocks.append(f"{name} << EOD\n" + "\n".join(lines) + "\nEOD\n")
    colour = {"tutti": "#c0392b", "jack2": "#2c6fa6"}
    title = {"tutti": "Tutti", "jack2": "JACK2"}
    panels = []
    for size in sizes:
        curves = []
        for system in ("tutti", "jack2"):
            curves.append(f"${system}{size} using 1:2 with linespoints lw 2 pt 7 ps 0.6 lc rgb '{colour[system]}' title '{title[system]}, median'")
            curves.append(f"${system}{size} using 1:3 with lines lw 1.5 dt 2 lc rgb '{colour[system]}' title '{title[system]}, p99'")
        panels.append(f"set title 'timer to last program done, {size} frames'\nset ylabel 'µs'\nplot " + ", ".join(curves))
        shares = [f"${system}{size} using 1:4 with linespoints lw 2 pt 7 ps 0.6 lc rgb '{colour[system]}' title '{title[system]}'"
                  for system in ("tutti", "jack2")]
        panels.append(f"set title 'processor share, {size} frames'\nset ylabel '% of one processor'\nplot " + ", ".join(shares))
    terminal = "pngcairo size 1200,{0} font 'DejaVu Sans,11'" if path.suffix == ".png" else "svg size 1200,{0} font 'DejaVu Sans,14' background '#ffffff'"
    script = "\n".join(blocks) + f"""
set terminal {terminal.format(430 * len(sizes))}
set output '{path}'
set multiplot layout {len(sizes)},2
set logscale x 2
set xrange [0.9:36]
set yrange [0:*]
set xtics (1, 2, 4, 8, 16, 32)
set xlabel 'programs'
set grid lc rgb '#dddddd'
set key top left
""" + "\n".join(panels) + "\n"
    subprocess.run(["gnuplot"], input=script.encode(), check=True)


def told(peer, title):
    return lambda rows: [*last_done_table(rows, peer, title), "", in_words(rows, peer, title)]


TABLES = {"last_done": told("jack2", "JACK2"), "sync": told("jack2-sync", "JACK2 synchronous"), "pipewire": told("pipewire", "PipeWire"),
          "stopped": stopped_table, "cost": cost_table}


def write(report, folder):
    """The tables between the marks in RESULTS.md, each below the command that made it, and the plot beside it."""
    lines = []
    for part, table in TABLES.items():
        if not report.get(part) or part not in report["made_by"]:  # of an older form
            continue
        lines += [made_by_line(report["made_by"][part]), "", *table(report[part]), ""]
        if part == "last_done":
            plot(report[part], folder / "cycle.png")
            lines += ["![Tutti and JACK2 by number of programs](cycle.png)", ""]
    write_between(folder / "RESULTS.md", BEGIN, END, lines)
