"""The codec with one ingredient replaced, under names that a run can ask for."""
