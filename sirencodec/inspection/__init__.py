"""What a file's network does, beside theory."""
