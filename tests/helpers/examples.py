"""How many examples a property is tried with: as many as it needs, and a quarter of them where the tests are to be fast."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_WHOLE = 100
"""What Hypothesis takes by itself; the profile ``fast`` takes less."""


def examples(number: int = _WHOLE, *, steps: int | None = None, share_fixtures: bool = False) -> settings:
    """Give the settings of a property that needs another number of examples than most.

    Args:
        number: Of examples where all tests are run.
        steps: The most steps of an example, if it is a walk of a state machine.
        share_fixtures: Whether fixtures of the test are made once for all examples.
    """
    chosen = settings(max_examples=max(1, number * settings().max_examples // _WHOLE))
    if steps is not None:
        chosen = settings(chosen, stateful_step_count=steps)
    if share_fixtures:
        chosen = settings(
            chosen, suppress_health_check=[*chosen.suppress_health_check, HealthCheck.function_scoped_fixture]
        )
    return chosen
