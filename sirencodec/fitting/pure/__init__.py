"""The pure profile: a network alone."""
