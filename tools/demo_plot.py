# SPDX-License-Identifier: MIT
"""The demo's picture: waveforms on one time axis, and how late callbacks began. Drawn by gnuplot."""

import subprocess

import numpy

COLUMNS = 1500
SCALE_STEP = 0.05


def envelope(times, values):
    """Least and greatest value per column of the picture."""
    if not len(times):
        return numpy.zeros((0, 3))
    order = numpy.linspace(times[0], times[-1], COLUMNS + 1)
    at = numpy.searchsorted(times, order)
    rows = [(order[i], values[at[i]:at[i + 1]].min(), values[at[i]:at[i + 1]].max())
            for i in range(COLUMNS) if at[i + 1] > at[i]]
    return numpy.array(rows)


def sample_times(blocks, rate, origin_ns):
    begin = (blocks["begin_ns"].astype(numpy.int64) - origin_ns) / 1e9
    frames = blocks["frames"].astype(numpy.int64)
    return (numpy.repeat(begin, frames) +
            numpy.concatenate([numpy.arange(n) for n in frames]) / rate)


def lateness_us(blocks):
    good = blocks[(blocks["flags"] & 1) == 0]
    late = (good["begin_ns"].astype(numpy.int64) - good["time_ns"].astype(numpy.int64)) / 1000
    return late[(late >= 0)]


def draw(folder, tracks, marks, hosts, seconds, subtitle):
    """tracks: (title, colour, times, values); marks: (time, text); hosts: (name, colour, lateness in us)."""
    script = [
        "set terminal pngcairo size 1500,1250 font 'DejaVu Sans,11' background '#fbfaf7'",
        f"set output '{folder}/demo.png'",
        "set multiplot",
        "set border 3 lc rgb '#888888'; set tics nomirror textcolor rgb '#444444'",
        "set lmargin 9; set rmargin 5; unset key",
        f"set xrange [0:{seconds:.3f}]",
        f"set label 1 \"Tutti: {subtitle}\" at screen 0.04,0.977 font ',15'",
    ]
    loudest = max(abs(values).max() for _, _, _, values in tracks)
    scale = round(min(max(1, -(-loudest // SCALE_STEP)) * SCALE_STEP, 1.0), 2)
    height = 0.62 / len(tracks)
    top = 0.955
    for n, (title, colour, times, values) in enumerate(tracks):
        numpy.savetxt(f"{folder}/track{n}.txt", envelope(times, values), fmt="%.5f")
        script += [f"set origin 0,{top - (n + 1) * height:.4f}; set size 1,{height:.4f}",
                   "unset arrow", "set tmargin 2; set bmargin 1.6",
                   f"set label 2 \"{title}\" at graph 0.004,1.07 left textcolor rgb '{colour}'",
                   f"set yrange [-{scale}:{scale}]; set ytics -{scale},{scale},{scale}; unset ylabel"]
        last = n == len(tracks) - 1
        script.append("set xlabel 'seconds' offset 0,0.8; set format x '%g'" if last else "unset xlabel; set format x ''")
        if last:
            script.append("set bmargin 2.6")
        for m, (time, text) in enumerate(marks):
            script.append(f"set arrow from {time:.3f},graph 0 to {time:.3f},graph 1 nohead dt 2 lw 1.5 lc rgb '#c0392b'")
            if n == 0:
                script.append(f"set label {10 + m} \"{text}\" at first {time:.3f},graph 1.07 center textcolor rgb '#c0392b'")
        if n == 1:
            script += [f"unset label {10 + m}" for m in range(len(marks))] + ["unset label 1"]
        script.append(f"plot '{folder}/track{n}.txt' using 1:2:3 with filledcurves lc rgb '{colour}'")
    edges = numpy.logspace(0, 5, 76)
    plots = []
    for n, (name, colour, late) in enumerate(hosts):
        count, _ = numpy.histogram(numpy.clip(late, 1, 99999), edges)
        numpy.savetxt(f"{folder}/late{n}.txt",
                      numpy.column_stack((edges[:-1], count / max(1, count.sum()) * 100)), fmt="%.4f")
        plots.append(f"'{folder}/late{n}.txt' using 1:2 with steps lw 2.5 lc rgb '{colour}' title \"{name}\"")
    script += ["unset arrow", "set origin 0,0.01; set size 1,0.31; set tmargin 2.4; set bmargin 3.4",
               "set label 2 'How late callbacks began after their time stamp' at graph 0.004,1.06 left textcolor rgb '#333333'",
               "set logscale x; set xrange [1:100000]; set yrange [0:*]; set ytics auto",
               "set xtics ('1 µs' 1, '10 µs' 10, '100 µs' 100, '1 ms' 1000, '10 ms' 10000, '100 ms' 100000)",
               "set xlabel ''; set ylabel '% of callbacks' offset 1.5,0; set key top right",
               "plot " + ", ".join(plots), "unset multiplot"]
    subprocess.run(["gnuplot"], input="\n".join(script), text=True, check=True)
