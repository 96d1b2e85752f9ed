"""Tests of the page frame, its tags and its files."""
