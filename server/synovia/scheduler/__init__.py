"""Calls to come: scheduled by mutations and actions, or as crons; run once, whatever hub does it.

``tables`` is what the scheduler reads, ``calls`` what functions schedule with, ``due_calls`` what is due, ``transitions``
the transactions that move a call on, and ``runner`` the part of a hub that takes them.
"""

from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import CallOutcome, CronJob, JobProgress, ScheduledCall, WorkflowStep

__all__ = ["CallOutcome", "CronJob", "JobProgress", "Retry", "ScheduledCall", "WorkflowStep"]
