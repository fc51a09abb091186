// /proc/self/cgroup names the group; its limits and those of every group above it count. In a
// container without a cgroup namespace that name is the host's and not to be found below
// /sys/fs/cgroup: walking up ends at the mount's root, which is the container's own group.
//
//   v2   0::/system.slice/x        /sys/fs/cgroup/system.slice/x/...
//   v1   4:cpu,cpuacct:/docker/y   /sys/fs/cgroup/cpu/docker/y/...
#include "base/cgroup.h"

#include "base/strv.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct walk {
  const char *root;
  const char *controller;
  void (*visit)(const char *folder, bool is_v2, void *ctx);
  void *ctx;
};

bool pl_cgroup_read(const char *folder, const char *name, char line[PL_CGROUP_LINE_BYTES]) {
  char path[PATH_MAX];
  int len = snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = len > 0 && (size_t)len < sizeof path ? fopen(path, "re") : NULL;
  if (!file) return false;
  bool has_line = fgets(line, PL_CGROUP_LINE_BYTES, file) != NULL;
  fclose(file);
  return has_line;
}

// From `group` up to the root of the hierarchy mounted at `mount`.
static void visit_groups(const struct walk *w, const char *mount, const char *group, bool is_v2) {
  char folder[PATH_MAX];
  int len = snprintf(folder, sizeof folder, "%s%s", mount, group);
  if (len < 0 || (size_t)len >= sizeof folder) return;
  size_t mount_len = strlen(mount);
  for (;;) {
    w->visit(folder, is_v2, w->ctx);
    char *slash = strrchr(folder + mount_len, '/');
    if (!slash) return;
    *slash = '\0';
  }
}

// Whether `wanted` is one of the names in "cpu,cpuacct".
static bool has_controller(const char *names, const char *wanted) {
  while (*names) {
    size_t len = strcspn(names, ",");
    if (pl_strv_eq(pl_strv(names, len), pl_strv_of(wanted))) return true;
    names += len + (names[len] == ',');
  }
  return false;
}

// One line of /proc/self/cgroup: "number:controllers:group".
static void visit_line(const struct walk *w, char *line) {
  line[strcspn(line, "\n")] = '\0';
  char *controllers = strchr(line, ':');
  char *group = controllers ? strchr(controllers + 1, ':') : NULL;
  if (!group) return;
  *group++ = '\0';
  controllers++;
  char mount[PATH_MAX];
  bool is_v2 = *controllers == '\0';
  if (!is_v2 && !has_controller(controllers, w->controller)) return;
  int len = snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s%s", w->root, is_v2 ? "" : "/",
                     is_v2 ? "" : w->controller);
  if (len > 0 && (size_t)len < sizeof mount) visit_groups(w, mount, group, is_v2);
}

void pl_cgroup_walk(const char *root, const char *controller,
                    void (*visit)(const char *folder, bool is_v2, void *ctx), void *ctx) {
  const struct walk w = {root, controller, visit, ctx};
  char line[PL_CGROUP_LINE_BYTES];
  int len = snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
  FILE *file = len > 0 && (size_t)len < sizeof line ? fopen(line, "re") : NULL;
  if (!file) return;
  while (fgets(line, sizeof line, file)) visit_line(&w, line);
  fclose(file);
}
