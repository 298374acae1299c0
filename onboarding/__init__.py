"""Bulk onboarding of people, groups and memberships from spreadsheets to an Atlan tenant."""

__version__ = "0.1.0"
