# SPDX-License-Identifier: MIT
"""Which skips of tutti conform are no failure. A case that nothing can be said about here hides a fault as well as one that was left out,
so each has to be named; a machine that others keep busy excuses any.
"""

BUSY = "the machine is busy"
# case: why it is skipped, on Tutti over the virtual sound card
TUTTI = {"what_is_written_before_the_next_callback_is_heard": "declared as an exception, but with `late_take`"}
LATE_TAKE = {"what_is_written_before_output_ready_is_heard": "there is no outputReady"}
# the same of the driver of tests/drivers/broken
BROKEN = {"an_input_gain_is_heard": "it has none", "an_output_gain_is_heard": "it has none", "an_input_meter_follows_the_sound": "it has none",
          "an_output_meter_follows_the_sound": "it has none", "the_monitor_is_heard": "it has none",
          "what_is_written_before_output_ready_is_heard": "it has no outputReady"}


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
