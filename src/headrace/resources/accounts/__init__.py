"""Accounts: who owns rows. Another account's row does not exist."""
