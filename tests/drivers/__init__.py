"""Tests of the drivers: contract tests over every folder, recorded machines, real peers."""
