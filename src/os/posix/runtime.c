/* SPDX-License-Identifier: MIT */
/* Where this user's engine lives, and what the process knows of itself: folder, module,
 * environment. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

bool
os_getenv(const char *name, char *value, size_t value_bytes)
{
    const char *found = getenv(name);
    const size_t length = found != NULL ? strlen(found) : 0;
    if (found == NULL || length >= value_bytes) {
        return false;
    }
    memcpy(value, found, length + 1);
    return true;
}

bool
posix_path_join(char *path, size_t path_bytes, const char *dir, const char *name)
{
    const int length = snprintf(path, path_bytes, "%s/%s", dir, name);
    return length >= 0 && (size_t)length < path_bytes;
}

/* Where systemd and elogind put the session's folder, for a process that was not given it. Only
 * root can make it, unlike a name in /tmp, which another user may have taken before. */
static bool
session_dir(char *path, size_t path_bytes)
{
    struct stat status;
    const int length = snprintf(path, path_bytes, "/run/user/%lu", (unsigned long)geteuid());
    return length > 0 && (size_t)length < path_bytes && lstat(path, &status) == 0 &&
           S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* The folder's name, not yet checked; false, and why, when the environment names none that can be
 * used. */
static bool
runtime_dir_name(char *path, size_t path_bytes, char *why, size_t why_bytes)
{
    char base[POSIX_PATH_BYTES];
    int length;
    if (os_getenv("TUTTI_RUNTIME_DIR", base, sizeof(base)) && base[0] != '\0') {
        length = snprintf(path, path_bytes, "%s", base);
    } else if (os_getenv("XDG_RUNTIME_DIR", base, sizeof(base)) && base[0] == '/') {
        length = snprintf(path, path_bytes, "%s/tutti", base);
    } else if (session_dir(base, sizeof(base))) {
        length = snprintf(path, path_bytes, "%s/tutti", base);
    } else {
        length = snprintf(path, path_bytes, "/tmp/tutti-%lu", (unsigned long)geteuid());
    }
    if (length <= 0 || (size_t)length >= path_bytes) {
        snprintf(why, why_bytes, "the name of the runtime folder is too long");
        return false;
    }
    /* the engine works in this very folder, so a relative name would lead it elsewhere */
    if (path[0] != '/') {
        snprintf(why, why_bytes, "the runtime folder %s is not an absolute path", path);
        return false;
    }
    /* a separator at the end would make open() follow a link in spite of O_NOFOLLOW */
    while (length > 1 && path[length - 1] == '/') {
        path[--length] = '\0';
    }
    return true;
}

/* "alice (1000)", as far as the machine's own list knows names: a program of other people's must
 * not wait for a network's. */
static void
name_user(uid_t user, char *text, size_t text_bytes)
{
    char line[512], number[32];
    FILE *const list = fopen("/etc/passwd", "re");
    snprintf(number, sizeof(number), ":%lu:", (unsigned long)user);
    snprintf(text, text_bytes, "%lu", (unsigned long)user);
    while (list != NULL && fgets(line, sizeof(line), list) != NULL) {
        char *const name_end = strchr(line, ':');
        const char *const found = name_end != NULL ? strchr(name_end + 1, ':') : NULL;
        if (found == NULL || strncmp(found, number, strlen(number)) != 0) {
            continue;
        }
        *name_end = '\0';
        snprintf(text, text_bytes, "%.32s (%lu)", line, (unsigned long)user);
        break;
    }
    if (list != NULL) {
        fclose(list);
    }
}

static enum tutti_status
refuse_foreign(const char *what, const char *path, const struct stat *status, char *why,
               size_t why_bytes)
{
    char owner[64], user[64];
    if (status->st_uid == geteuid()) {
        snprintf(why, why_bytes,
                 "%s %s is refused, for others may enter it: its mode is %03o and must be 700",
                 what, path, (unsigned)status->st_mode & 0777u);
        return TUTTI_REFUSED;
    }
    name_user(status->st_uid, owner, sizeof(owner));
    name_user(geteuid(), user, sizeof(user));
    snprintf(why, why_bytes,
             "%s %s is refused: it belongs to user %s, and this program runs as user %s; run it as "
             "that user, or set TUTTI_RUNTIME_DIR to a folder of its own",
             what, path, owner, user);
    return TUTTI_REFUSED;
}

static enum tutti_status
check_folder(const char *path, char *why, size_t why_bytes)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0) {
        const int error = errno;
        if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid != geteuid()) {
            return refuse_foreign("the runtime folder", path, &status, why, why_bytes);
        }
        snprintf(why, why_bytes, "cannot open the runtime folder %s: %s", path, strerror(error));
        return error == ENOTDIR || error == ELOOP || error == EACCES ? TUTTI_REFUSED : TUTTI_IO;
    }
    const bool known = fstat(fd, &status) == 0;
    close(fd);
    if (!known) {
        return TUTTI_IO;
    }
    if (status.st_uid != geteuid() || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return refuse_foreign("the runtime folder", path, &status, why, why_bytes);
    }
    return TUTTI_OK;
}

/* Root can make folders everywhere. One below another user's folder would shut that user out. */
static enum tutti_status
make_folder(const char *path, char *why, size_t why_bytes)
{
    char parent[POSIX_PATH_BYTES];
    struct stat status;
    if (lstat(path, &status) == 0) {
        return TUTTI_OK;
    }
    snprintf(parent, sizeof(parent), "%s", path);
    *(strrchr(parent, '/') + 1) = '\0';
    if (stat(parent, &status) == 0 && status.st_uid != geteuid() && status.st_uid != 0 &&
        (status.st_mode & S_ISVTX) == 0) {
        parent[strlen(parent) - 1] = '\0';
        return refuse_foreign("the folder", parent, &status, why, why_bytes);
    }
    if (mkdir(path, S_IRWXU) == 0 || errno == EEXIST) {
        return TUTTI_OK;
    }
    snprintf(why, why_bytes,
             "cannot create the runtime folder %s: %s; set TUTTI_RUNTIME_DIR to a folder that this "
             "user can write to",
             path, strerror(errno));
    return TUTTI_IO;
}

static enum tutti_status
find_folder(char name[POSIX_PATH_BYTES], char *why, size_t why_bytes)
{
    if (!runtime_dir_name(name, POSIX_PATH_BYTES, why, why_bytes)) {
        return TUTTI_REFUSED;
    }
    const enum tutti_status status = make_folder(name, why, why_bytes);
    return status == TUTTI_OK ? check_folder(name, why, why_bytes) : status;
}

enum tutti_status
os_runtime_dir(char *path, size_t path_bytes)
{
    char name[POSIX_PATH_BYTES], why[POSIX_PATH_BYTES + 256] = "";
    const enum tutti_status status = find_folder(name, why, sizeof(why));
    if (status != TUTTI_OK) {
        log_error("%s", why);
        return status;
    }
    if (strlen(name) >= path_bytes) {
        return TUTTI_IO;
    }
    memcpy(path, name, strlen(name) + 1);
    return TUTTI_OK;
}

enum tutti_status
os_runtime_check(char *why, size_t why_bytes)
{
    char name[POSIX_PATH_BYTES];
    enum tutti_status status = find_folder(name, why, why_bytes);
    if (status == TUTTI_OK && faccessat(AT_FDCWD, name, W_OK, AT_EACCESS) != 0) {
        snprintf(why, why_bytes,
                 "cannot write to the runtime folder %.160s: %s; set TUTTI_RUNTIME_DIR to a folder "
                 "that this user can write to",
                 name, strerror(errno));
        status = TUTTI_IO;
    }
    return status;
}

struct module_search {
    uintptr_t address;
    char name[POSIX_PATH_BYTES];
    bool found;
};

static int
look_at_module(struct dl_phdr_info *info, size_t size, void *user)
{
    struct module_search *search = user;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const uintptr_t begin = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && search->address >= begin &&
            search->address - begin < segment->p_memsz) {
            snprintf(search->name, sizeof(search->name), "%s", info->dlpi_name);
            search->found = true;
            return 1;
        }
    }
    return 0;
}

static enum tutti_status
real_path(const char *name, char *path, size_t path_bytes)
{
    char *full = realpath(name, NULL);
    if (full == NULL) {
        log_error("cannot tell the path of %s: %s", name, strerror(errno));
        return TUTTI_IO;
    }
    const size_t length = strlen(full);
    const bool fits = length < path_bytes;
    if (fits) {
        memcpy(path, full, length + 1);
    }
    free(full);
    return fits ? TUTTI_OK : TUTTI_IO;
}

enum tutti_status
os_program_path(char *path, size_t path_bytes)
{
    return real_path("/proc/self/exe", path, path_bytes);
}

enum tutti_status
os_module_path(char *path, size_t path_bytes)
{
    /* the executable is listed under an empty name */
    struct module_search search = {.address = (uintptr_t)&os_module_path};
    dl_iterate_phdr(look_at_module, &search);
    const char *name = search.found && search.name[0] != '\0' ? search.name : "/proc/self/exe";
    return real_path(name, path, path_bytes);
}
