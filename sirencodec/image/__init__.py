"""Image files <-> samples and metadata, through Pillow."""
