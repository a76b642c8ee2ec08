"""Dispatch: who comes to which open demand, why, and what anything else would cost.

Pure: demands and caregivers in, assignments and their reasons out; no database, no language.
"""
