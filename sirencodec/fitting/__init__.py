"""Image and plan -> integers."""
