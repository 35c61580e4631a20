# SPDX-License-Identifier: MIT
"""Which skips of tutti conform are no failure. A case that nothing can be said about here hides a fault as well as one that was left out,
so each has to be named; a machine that others keep busy excuses any.
"""

BUSY = "the machine is busy"
# case: why it is skipped, on Tutti over the virtual sound card
TUTTI = {}
# the same of the driver of tests/drivers/broken
BROKEN = {}


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
