"""Reports of tests: what steps kept with their builds."""
