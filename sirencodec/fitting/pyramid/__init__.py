"""The pyramid profile: latent grids and a network."""
