"""Signing in, for those who come without a page in mind."""

from components import identity

identity.sign_in_screen(deep_link=False)
