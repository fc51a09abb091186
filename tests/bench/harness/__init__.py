"""The parts of tests/bench/run: processes, servers, loads, rows, table."""
