"""The demo pilot: a small synthetic Nantong, made through the services under a set clock."""

from services.demo.stage import SMALL, is_staged, stage

__all__ = ["SMALL", "is_staged", "stage"]
