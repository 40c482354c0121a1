"""Estimates with intervals, tests, and verdicts on claims."""
