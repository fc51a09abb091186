// The program: argv -> command -> exit code. As PID 1 of a container it forks first, before there
// is anything else, and leaves the duties of an init process to the parent.
#include "base/descriptors.h"
#include "base/init.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (pl_descriptors_fill_standard() < 0) return 1;  // and nowhere to say why
  if (getpid() == 1) {
    int rc = pl_init_fork();
    if (rc < 0) {
      fprintf(stderr, "perilune: error: cannot fork: %s\n", strerror(-rc));
      return 1;
    }
  }
  return pl_cli_main(argc > 0 ? argc - 1 : 0, argv + (argc > 0));
}
