"""Signing in from a program on somebody's machine: with their own browser, or a code by e-mail; no toolkit here."""
