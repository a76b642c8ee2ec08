"""The rest of a first sign-in through a provider."""

from components import joining

joining.join_screen()
