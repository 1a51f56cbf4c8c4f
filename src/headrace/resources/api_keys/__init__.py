"""API keys: credentials of users, of runtime environments and of running builds."""
