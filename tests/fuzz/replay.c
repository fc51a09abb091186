// Stands in for libFuzzer: gives each file of the folders (or files) on the command line to the
// target once, so that the corpus and every crash that was found run with any compiler. The input
// is a block of exactly its size, so that a sanitizer sees a read behind it.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = malloc(size ? size : 1);
  int status = -1;
  if (file && data && fread(data, 1, size, file) == size) {
    LLVMFuzzerTestOneInput(data, size);
    status = 0;
  } else {
    perror(path);
  }
  free(data);
  if (file) fclose(file);
  return status;
}

// Returns: the number of files replayed, or -1.
static int replay_path(const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) {
    perror(path);
    return -1;
  }
  if (S_ISREG(st.st_mode)) return replay_file(path, (size_t)st.st_size) == 0 ? 1 : -1;
  DIR *folder = opendir(path);
  if (!folder) {
    perror(path);
    return -1;
  }
  int total = 0;
  for (struct dirent *entry; total >= 0 && (entry = readdir(folder));) {
    char inner[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    int n = replay_path(inner);
    total = n < 0 ? -1 : total + n;
  }
  closedir(folder);
  return total;
}

int main(int argc, char **argv) {
  int total = 0;
  for (int i = 1; i < argc; i++) {
    int n = replay_path(argv[i]);
    if (n < 0) return 1;
    total += n;
  }
  printf("replayed %d inputs\n", total);
  return total > 0 ? 0 : 1;
}
