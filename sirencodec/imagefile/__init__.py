"""What lies between ``sirencodec.image`` and Pillow: modes, depths, file formats and failures."""
