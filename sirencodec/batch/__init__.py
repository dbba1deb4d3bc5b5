"""Many files: which becomes which, one after the other or side by side, and what came of each."""
