"""Figures on screen: what is looked at, maps, charts and their tables."""
