/// The command line: finds the command, parses its options, runs it.
#pragma once

/// @param words the words of the command line behind the program's name
/// Returns: the process's exit code: 0 success, 1 failure, 2 wrong usage.
int pl_cli_main(int count, char *const *words);
