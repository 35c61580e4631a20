/* SPDX-License-Identifier: MIT */
/*
 * Hears the first input on the first output for a second.
 *     cc example.c $(pkg-config --cflags --libs tutti) -o example
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <tutti/tutti.h>

enum { FRAMES = 256 };

/* On a real-time thread: no waiting, no memory from the heap. */
static void
process(void *user, const struct tutti_block *block)
{
    struct tutti_client *client = *(struct tutti_client **)user;

    memcpy(tutti_output(client, 0, block->half), tutti_input(client, 0, block->half),
           FRAMES * sizeof(float));
}

int
main(void)
{
    char why[TUTTI_TEXT_BYTES] = "";
    const struct tutti_open_params open = {.program = "example", .error = why};
    struct tutti_client *client;

    if (tutti_open(&client, &open) != TUTTI_OK) {
        fprintf(stderr, "example: %s\n", why);
        return 1;
    }
    const struct tutti_stream_params stream = {
        .buffer_frames = FRAMES, .inputs = 1, .outputs = 1, .process = process, .user = &client};
    if (tutti_prepare(client, &stream) != TUTTI_OK || tutti_start(client) != TUTTI_OK) {
        fprintf(stderr, "example: %s\n", tutti_last_error(client));
        tutti_close(client);
        return 1;
    }
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    struct tutti_block last = {0};
    tutti_get_position(client, &last);
    tutti_close(client);
    printf("%llu frames\n", (unsigned long long)last.position_frames);
    return last.position_frames ? 0 : 1;
}
