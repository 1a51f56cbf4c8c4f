"""Users: people who log in, and the accounts that they belong to."""
