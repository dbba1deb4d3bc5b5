"""The two terms of the loss, distortion and rate, each compiled and in PyTorch."""
