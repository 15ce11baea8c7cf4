"""How many examples a property is tried with: half of them with each change, a quarter where that is to be fast."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_DEEP = 100
"""What Hypothesis takes by itself, and the profile ``deep``; the others take less."""


def examples(number: int = _DEEP, *, steps: int | None = None, share_fixtures: bool = False) -> settings:
    """Give the settings of a property that needs another number of examples than most.

    Args:
        number: Of examples under the profile ``deep``.
        steps: The most steps of an example, if it is a walk of a state machine.
        share_fixtures: Whether fixtures of the test are made once for all examples.
    """
    chosen = settings(max_examples=max(1, number * settings().max_examples // _DEEP))
    if steps is not None:
        chosen = settings(chosen, stateful_step_count=steps)
    if share_fixtures:
        chosen = settings(
            chosen, suppress_health_check=[*chosen.suppress_health_check, HealthCheck.function_scoped_fixture]
        )
    return chosen
