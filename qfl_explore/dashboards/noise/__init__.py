"""The page Noise."""
