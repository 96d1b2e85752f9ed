"""Tests of the translation: the catalogue, its extraction, and what Japanese pages show."""
