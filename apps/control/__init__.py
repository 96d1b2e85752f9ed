"""Orders to devices: power, boot device, lamp, event log, waking; on one component or many."""
