/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: any bytes as the sound file that 'tutti play' is given: what passes the CLI's checks
 * has channels, a rate and a length that it can hold in bounded memory, and can be read to its end
 * or to an error. libsndfile 1.2 reads some files for ever: as the CLI gives up after some seconds
 * (platform_watch()), so does this, sooner.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "cli/sound.h"
#include "tutti/tutti.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHUNK_FRAMES = 64, CHUNKS = 16, GIVE_UP_MS = 200 };

struct memory {
    const uint8_t *data;
    sf_count_t size, at;
};

static sf_count_t
length(void *user)
{
    return ((struct memory *)user)->size;
}

static sf_count_t
seek(sf_count_t offset, int whence, void *user)
{
    struct memory *memory = user;
    sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory->at : memory->size;
    sf_count_t to;
    if (__builtin_add_overflow(from, offset, &to) || to < 0 || to > memory->size) {
        return -1;
    }
    return memory->at = to;
}

static sf_count_t
read_bytes(void *to, sf_count_t count, void *user)
{
    struct memory *memory = user;
    sf_count_t rest = memory->size - memory->at;
    count = count < 0 ? 0 : count < rest ? count : rest;
    memcpy(to, memory->data + memory->at, (size_t)count);
    memory->at += count;
    return count;
}

static sf_count_t
write_bytes(const void *from, sf_count_t count, void *user)
{
    (void)from;
    (void)count;
    (void)user;
    return 0;
}

static sf_count_t
tell(void *user)
{
    return ((struct memory *)user)->at;
}

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* What libsndfile had allocated when it was given up is no leak of ours. */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
    return 1;
}

static sigjmp_buf given_up;

static void
on_alarm(int number)
{
    (void)number;
    siglongjmp(given_up, 1);
}

static void
watch(unsigned ms)
{
    const struct itimerval time = {.it_value = {0, (suseconds_t)ms * 1000}};
    signal(SIGVTALRM, on_alarm);
    setitimer(ITIMER_VIRTUAL, &time, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SF_VIRTUAL_IO io = {length, seek, read_bytes, write_bytes, tell};
    static float chunk[CHUNK_FRAMES * TUTTI_MAX_CHANNELS];
    struct memory memory = {data, (sf_count_t)size, 0};
    char error[SOUND_ERROR_BYTES] = "";
    SF_INFO info = {0};
    if (sigsetjmp(given_up, 1)) {
        return 0; /* what it had allocated is lost, as with the CLI's process */
    }
    watch(GIVE_UP_MS);
    SNDFILE *file = sf_open_virtual(&io, SFM_READ, &info, &memory);
    watch(0);
    if (!file) {
        return 0;
    }
    if (sound_check(&info, error)) {
        require(info.channels >= 1 && info.channels <= TUTTI_MAX_CHANNELS);
        uint64_t ring = sound_ring_frames(&info, 1024);
        require(ring >= 4096 && ring * (uint64_t)info.channels <= (UINT64_C(64) << 18));
        require(sound_total_frames(&info, 2.5) <= (uint64_t)info.samplerate * 3);
        require(sound_total_frames(&info, 0) > 0);
        for (unsigned i = 0; i < CHUNKS; i++) {
            sf_count_t got = sf_readf_float(file, chunk, CHUNK_FRAMES);
            require(got >= 0 && got <= CHUNK_FRAMES);
            if (got < CHUNK_FRAMES) {
                break;
            }
        }
    } else {
        require(error[0] != '\0');
    }
    sf_close(file);
    return 0;
}
