"""Image registries of an account, with what logs in there."""
