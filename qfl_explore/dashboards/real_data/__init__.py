"""The page Real data."""
