"""A document of the rule book, in any version that was, is or will be in force."""

from components import policies

policies.reading()
