/* SPDX-License-Identifier: MIT */
/* Runs a fuzzer's inputs once each where there is no libFuzzer: files, or all files of folders. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned inputs;

static int
replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat about;
    if (!file || stat(path, &about) != 0) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc((size_t)about.st_size + 1);
    size_t size = data ? fread(data, 1, (size_t)about.st_size, file) : 0;
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    inputs++;
    return 0;
}

static int
replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    int failed = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char name[4096];
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
            failed |= replay(name);
        }
    }
    if (folder) {
        closedir(folder);
    }
    return failed;
}

int
main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct stat about;
        if (argv[i][0] == '-') {
            continue; /* an option of libFuzzer's */
        }
        failed |= stat(argv[i], &about) == 0 && S_ISDIR(about.st_mode) ? replay_folder(argv[i])
                                                                       : replay(argv[i]);
    }
    printf("%u inputs\n", inputs);
    return failed || !inputs;
}
