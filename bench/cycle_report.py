# SPDX-License-Identifier: MIT
"""Tables and plot of ./run bench cycle."""


def last_done_line(row):
    ours, theirs, ratio = row["tutti"], row["jack2"], row["ratio"]
    return (f"{row['frames']:4} frames {row['programs']:3} programs  "
            f"last done us: tutti {ours['last_done_median_us']['median']:6.1f} / {ours['last_done_p99_us']['median']:6.1f}  "
            f"jack2 {theirs['last_done_median_us']['median']:6.1f} / {theirs['last_done_p99_us']['median']:6.1f}  "
            f"ratio {ratio['last_done_median']['median']:.2f} ({ratio['last_done_median']['min']:.2f}-{ratio['last_done_median']['max']:.2f})  "
            f"cpu % {ours['processor_percent']['median']:5.2f} / {theirs['processor_percent']['median']:5.2f} "
            f"ratio {ratio['processor']['median']:.2f}  missed {ours['missed_cycles']} / {theirs['missed_cycles']}  "
            f"switches {ours['switches_per_cycle']['median']:.1f} / {theirs['switches_per_cycle']['median']:.1f}")


def stopped_line(row):
    return (f"one of 8 stopped: {row['system']:10} the others got {row['received_least']}..{row['received_most']} of {row['expected_cycles']} cycles, "
            f"longest gap {row['longest_gap_ms']:.1f} ms")
