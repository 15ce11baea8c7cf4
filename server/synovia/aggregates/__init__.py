"""Summaries of many documents that a commit moves by what it changes, instead of reading them all again."""
