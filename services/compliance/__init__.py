"""Compliance: detectors that look for breaches of the rules, and what operators decide."""
