/* SPDX-License-Identifier: MIT */
#include "bridge/threads.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/os.h"

enum { PATH_BYTES = 600, NAME_BYTES = 32 };

static bool
has_name(const char *folder, const char *tid, const char *name)
{
    char path[PATH_BYTES], text[NAME_BYTES] = "";
    snprintf(path, sizeof(path), "%s/%s/comm", folder, tid);
    FILE *const file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    const bool read = fgets(text, sizeof(text), file) != NULL;
    fclose(file);
    text[strcspn(text, "\n")] = '\0';
    return read && strcmp(text, name) == 0;
}

static uint32_t
find_in_process(uint32_t pid, const char *name)
{
    char folder[64];
    uint32_t tid = 0;
    snprintf(folder, sizeof(folder), "/proc/%u/task", pid);
    DIR *const tasks = opendir(folder);
    if (tasks == NULL) {
        return 0;
    }
    for (const struct dirent *entry; tid == 0 && (entry = readdir(tasks)) != NULL;) {
        if (entry->d_name[0] != '.' && has_name(folder, entry->d_name, name)) {
            tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        }
    }
    closedir(tasks);
    return tid;
}

bool
threads_find(const char *name, uint32_t *pid, uint32_t *tid)
{
    DIR *const processes = opendir("/proc");
    uint32_t found = 0;
    if (processes == NULL || name[0] == '\0') {
        return false;
    }
    for (const struct dirent *entry; found == 0 && (entry = readdir(processes)) != NULL;) {
        const uint32_t process = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (!os_process_is_ours(process)) {
            continue;
        }
        found = find_in_process(process, name);
        *pid = process;
    }
    closedir(processes);
    *tid = found;
    return found != 0;
}
