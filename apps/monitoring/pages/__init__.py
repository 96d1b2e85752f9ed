"""The pages of monitoring: charts as data and as a file, the limits of sensors, statistics over the fleet."""
