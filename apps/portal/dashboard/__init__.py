"""The first page: how many are bad and is it new, where, what needs attention, what runs, what is quiet on purpose."""
