# SPDX-License-Identifier: MIT
"""Which skips of tutti conform are no failure. A case that nothing can be said about here hides a fault as well as one that was left out,
so each has to be named; a machine that others keep busy excuses any.
"""

BUSY = "the machine is busy"
# case: why it is skipped, on Tutti over the virtual sound card; tools/conform.py declares these as its exceptions
TUTTI = {"what_is_written_before_the_next_callback_is_heard": "a block is taken when its callback returns; with `late_take` it passes"}
# the same with late_take
LATE_TAKE = {"what_is_written_before_output_ready_is_heard": "there is no outputReady"}
# the same of the driver of tests/drivers/broken
BROKEN = {
    **dict.fromkeys(("an_input_gain_is_heard", "an_output_gain_is_heard"), "it has no gains"),
    **dict.fromkeys(("an_input_meter_follows_the_sound", "an_output_meter_follows_the_sound"), "it has no meters"),
    "the_monitor_is_heard": "it has no monitor",
    "what_is_written_before_output_ready_is_heard": "it has no outputReady",
}


def is_busy(result):
    return (result["reason"] or "").startswith(BUSY)


def unexpected(results, allowed):
    """Sentences about results of a report that were skipped without being allowed to."""
    return [f"{result['name']} was skipped: {result['reason']}" for result in results
            if result["verdict"] == "skipped" and result["name"] not in allowed and not is_busy(result)]


def sentence():
    """What docs/conform.md says of Tutti."""
    named = "; ".join(f"`{case}` ({why})" for case, why in sorted(TUTTI.items())) or "none"
    return f"Skips that are allowed to Tutti, but for a busy machine: {named}."
