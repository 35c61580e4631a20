/* SPDX-License-Identifier: MIT */
/*
 * Every order in which the writer and the reader of a feed's ring can take their steps, on the real
 * code, depth first, each world visited once; stores reach the other side late, and out of order
 * unless a fence stands between them. And the same with one fence taken away at a time: the
 * exploration finds each, which is what makes its silence about the real code worth something.
 *
 * A move is one access of one side, or the arrival of a store. To make it, the side's function runs
 * from its beginning over the results that it saw before, and is left after one access in earnest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t world_load(const void *word, memory_order order);
static void world_store(const void *word, uint64_t value, memory_order order);
static void world_fence(memory_order order);
#define FEED_LOAD(word, order) ((__typeof__(*(word) + 0))world_load(word, order))
#define FEED_STORE(word, value, order) world_store(word, value, order)
#define FEED_FENCE(order) world_fence(order)

#include "../src/mixer/feed_ring.c"

enum {
    CAPACITY = 4,
    BLOCK = 2,
    WRITES = 2,
    NEWS_WORDS = 3, /* that are looked at: the others are 0 in all news, and no steps */
    MOST_LOG = 48,
    MOST_BUFFERED = 3,
    MOST_DEPTH = 400
};

enum flaw {
    FLAW_NONE,
    FLAW_NO_RESERVE_FENCE, /* samples may be seen before they were reserved */
    FLAW_NO_VERSION_FENCE, /* news may be seen before the version is odd */
    FLAW_RELAXED_VERSION,  /* the version may be even before the news are there */
    FLAW_NO_NEWS_FENCE,    /* the version is read for the second time before the news */
    FLAW_NO_READ_FENCE,    /* what is reserved is read before the samples */
    FLAW_COUNT
};

/* ---- the world ---- */

enum side { WRITER, READER, SIDES };
enum {
    WORD_RESERVED,
    WORD_VERSION,
    WORD_NEWS,
    WORD_SAMPLES = WORD_NEWS + NEWS_WORDS,
    WORDS = WORD_SAMPLES + CAPACITY
};

struct world {
    uint64_t word[WORDS];
    uint64_t log[SIDES][MOST_LOG];
    uint64_t logged[SIDES], ended[SIDES];
    /* the writer's stores under way, oldest first; word WORDS is a fence */
    struct {
        uint64_t word, value;
    } buffer[MOST_BUFFERED];
    uint64_t buffered;
    uint64_t early[2]; /* version and reserved as a reader without fences saw them */
};

static struct feed_ring ring; /* its addresses name the words */
static _Atomic uint32_t samples[CAPACITY];
static enum flaw flaw;
static struct {
    struct world *world;
    enum side side;
    uint64_t at;
    bool made;
    jmp_buf leave;
} move;
static const char *problem;
static unsigned outrun, busy; /* ends at which the reader was too slow, or had no news */

static unsigned
index_of(const void *word)
{
    const char *at = word;
    if (at == (const char *)&ring.reserved) {
        return WORD_RESERVED;
    }
    if (at == (const char *)&ring.version) {
        return WORD_VERSION;
    }
    if (at >= (const char *)samples && at < (const char *)(samples + CAPACITY)) {
        return WORD_SAMPLES + (unsigned)((const _Atomic uint32_t *)word - samples);
    }
    size_t n = (size_t)((const _Atomic uint64_t *)word - ring.news);
    return n < NEWS_WORDS ? WORD_NEWS + (unsigned)n : WORDS;
}

static void
arrive(struct world *world, uint64_t at)
{
    world->word[world->buffer[at].word] = world->buffer[at].value;
    world->buffered--;
    memmove(&world->buffer[at], &world->buffer[at + 1],
            (world->buffered - at) * sizeof(world->buffer[0]));
    memset(&world->buffer[world->buffered], 0, sizeof(world->buffer[0]));
    while (world->buffered && world->buffer[0].word == WORDS) { /* nothing left before a fence */
        world->buffered--;
        memmove(&world->buffer[0], &world->buffer[1], world->buffered * sizeof(world->buffer[0]));
        memset(&world->buffer[world->buffered], 0, sizeof(world->buffer[0]));
    }
}

static void
put(struct world *world, uint64_t word, uint64_t value)
{
    if (word == WORDS && !world->buffered) {
        return;
    }
    while (world->buffered == MOST_BUFFERED) {
        arrive(world, 0);
    }
    world->buffer[world->buffered].word = word;
    world->buffer[world->buffered++].value = value;
}

/* The access in earnest leaves the function; those before it are known. */
static bool
is_known(uint64_t *result)
{
    struct world *world = move.world;
    if (move.at < world->logged[move.side]) {
        *result = world->log[move.side][move.at++];
        return true;
    }
    if (move.made) {
        longjmp(move.leave, 1);
    }
    move.made = true;
    return false;
}

static uint64_t
keep(uint64_t result)
{
    struct world *world = move.world;
    assert_true(move.at < MOST_LOG);
    world->log[move.side][move.at++] = result;
    world->logged[move.side]++;
    return result;
}

static uint64_t
world_load(const void *address, memory_order order)
{
    struct world *world = move.world;
    uint64_t result = 0;
    unsigned word = index_of(address);
    if (word == WORDS || is_known(&result)) {
        return result;
    }
    result = world->word[word];
    if (move.side == WRITER) { /* it sees its own stores */
        for (uint64_t i = 0; i < world->buffered; i++) {
            result = world->buffer[i].word == word ? world->buffer[i].value : result;
        }
    }
    if (word == WORD_VERSION && order == memory_order_relaxed && move.side == READER) {
        result = flaw == FLAW_NO_NEWS_FENCE ? world->early[0] : result;
    }
    if (word == WORD_RESERVED && flaw == FLAW_NO_READ_FENCE) {
        result = world->early[1];
    }
    if (move.side == READER && word == WORD_NEWS) {
        world->early[0] = world->word[WORD_VERSION];
    }
    if (move.side == READER && word >= WORD_SAMPLES && !world->early[1]) {
        world->early[1] = world->word[WORD_RESERVED];
    }
    return keep(result);
}

static void
world_store(const void *address, uint64_t value, memory_order order)
{
    uint64_t result;
    if (index_of(address) == WORDS || is_known(&result)) {
        return;
    }
    if (order != memory_order_relaxed && flaw != FLAW_RELAXED_VERSION) {
        put(move.world, WORDS, 0);
    }
    put(move.world, index_of(address), value);
    keep(0);
}

static void
world_fence(memory_order order)
{
    uint64_t result;
    if (is_known(&result)) {
        return;
    }
    /* the writer's fences: the first follows the reservation, the second the odd version */
    bool first = false;
    if (move.side == WRITER && move.world->buffered) {
        first = move.world->buffer[move.world->buffered - 1].word == WORD_RESERVED;
    }
    if (order == memory_order_release &&
        flaw != (first ? FLAW_NO_RESERVE_FENCE : FLAW_NO_VERSION_FENCE)) {
        put(move.world, WORDS, 0);
    }
    keep(0);
}

/* ---- the two sides ---- */

/* Write n brings the frames 2 n and 2 n + 1; each word of its news says so. */
static struct feed_news
news_of(uint64_t n)
{
    return (struct feed_news){.end = BLOCK * (n + 1), .hole_begin = 100 + n, .hole_last = 200 + n};
}

static float
frame_value(uint64_t frame)
{
    return (float)(frame + 1);
}

static void
write_blocks(uint64_t first, uint64_t count)
{
    for (uint64_t n = first; n < first + count; n++) {
        float block[BLOCK] = {frame_value(BLOCK * n), frame_value(BLOCK * n + 1)};
        const float *from = block;
        struct feed_news news = news_of(n);
        feed_ring_write(&ring, &from, BLOCK, &news);
    }
}

static void
read_block(void)
{
    struct feed_news news = {0};
    float block[BLOCK] = {0};
    float *to = block;
    if (!feed_ring_news(&ring, &news)) {
        busy++;
        return;
    }
    uint64_t n = news.end / BLOCK - 1;
    struct feed_news expected = news_of(n);
    if (memcmp(&news, &expected, NEWS_WORDS * sizeof(uint64_t)) != 0) {
        problem = "news of two writes";
    }
    if (!feed_ring_read(&ring, &to, news.end - BLOCK, BLOCK)) {
        outrun++;
        return;
    }
    for (uint64_t i = 0; i < BLOCK; i++) {
        if (block[i] != frame_value(news.end - BLOCK + i)) {
            problem = "a sample of another frame";
        }
    }
}

/* ---- exploring ---- */

enum { CHOICE_WRITER, CHOICE_READER, CHOICE_OLDEST, CHOICE_NEWEST, CHOICES };

static bool
run_side(struct world *world, enum side side)
{
    if (world->ended[side]) {
        return false;
    }
    move.world = world;
    move.side = side;
    move.at = 0;
    move.made = false;
    if (setjmp(move.leave) == 0) {
        if (side == WRITER) {
            write_blocks(1, WRITES);
        } else {
            read_block();
        }
        world->ended[side] = 1;
        memset(world->log[side], 0, sizeof(world->log[side]));
        world->logged[side] = 0;
    }
    return true;
}

/* False: impossible here. */
static bool
make_move(struct world *world, unsigned choice)
{
    if (choice <= CHOICE_READER) {
        return run_side(world, choice == CHOICE_WRITER ? WRITER : READER);
    }
    if (!world->buffered) {
        return false;
    }
    if (choice == CHOICE_OLDEST) {
        arrive(world, 0);
        return true;
    }
    /* the newest overtakes all before it, unless there is a fence or an older store to that word */
    uint64_t newest = world->buffered - 1;
    for (uint64_t i = 0; i < newest; i++) {
        if (world->buffer[i].word == WORDS || world->buffer[i].word == world->buffer[newest].word) {
            return false;
        }
    }
    if (!newest || world->buffer[newest].word == WORDS) {
        return false;
    }
    arrive(world, newest);
    return true;
}

struct seen {
    struct fingerprint {
        uint64_t a, b;
    } * slot;
    size_t slots, used;
};

static struct fingerprint
fingerprint(const struct world *world)
{
    struct fingerprint print = {UINT64_C(0x9E3779B97F4A7C15), UINT64_C(0xC2B2AE3D27D4EB4F)};
    const unsigned char *bytes = (const unsigned char *)world;
    for (size_t i = 0; i < sizeof(*world); i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        print.a = (print.a ^ word) * UINT64_C(0xFF51AFD7ED558CCD);
        print.a ^= print.a >> 32;
        print.b = (print.b + word) * UINT64_C(0xC4CEB9FE1A85EC53);
        print.b ^= print.b >> 29;
    }
    print.a |= 1;
    return print;
}

static bool
put_print(struct seen *seen, struct fingerprint print)
{
    size_t at = (size_t)print.b & (seen->slots - 1);
    for (; seen->slot[at].a; at = (at + 1) & (seen->slots - 1)) {
        if (seen->slot[at].a == print.a && seen->slot[at].b == print.b) {
            return false;
        }
    }
    seen->slot[at] = print;
    seen->used++;
    return true;
}

/* False when it was there already. */
static bool
see(struct seen *seen, const struct world *world)
{
    if (seen->used * 2 >= seen->slots) {
        struct seen bigger = {.slots = seen->slots ? seen->slots * 2 : 1 << 16};
        bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
        assert_non_null(bigger.slot);
        for (size_t i = 0; i < seen->slots; i++) {
            if (seen->slot[i].a) {
                put_print(&bigger, seen->slot[i]);
            }
        }
        free(seen->slot);
        *seen = bigger;
    }
    return put_print(seen, fingerprint(world));
}

/* One write is done when the world begins. */
static void
begin(struct world *world)
{
    memset(world, 0, sizeof(*world));
    feed_ring_init(&ring, samples, 1, CAPACITY);
    struct feed_news news = news_of(0);
    world->word[WORD_RESERVED] = BLOCK;
    world->word[WORD_VERSION] = 2;
    memcpy(&world->word[WORD_NEWS], &news, NEWS_WORDS * sizeof(uint64_t));
    for (uint64_t i = 0; i < BLOCK; i++) {
        float value = frame_value(i);
        uint32_t bits;
        memcpy(&bits, &value, sizeof(bits));
        world->word[WORD_SAMPLES + i] = bits;
    }
}

struct visit {
    struct world world;
    unsigned next;
};

static const char *
explore(enum flaw with, size_t *worlds)
{
    struct seen seen = {0};
    struct visit *visits = calloc(MOST_DEPTH, sizeof(*visits));
    size_t depth = 1;
    assert_non_null(visits);
    flaw = with;
    problem = NULL;
    outrun = busy = 0;
    begin(&visits[0].world);
    see(&seen, &visits[0].world);
    while (depth && !problem) {
        struct visit *visit = &visits[depth - 1];
        if (visit->next == CHOICES) {
            depth--;
            continue;
        }
        assert_true(depth < MOST_DEPTH);
        struct visit *after = &visits[depth];
        after->world = visit->world;
        after->next = 0;
        if (make_move(&after->world, visit->next++) && see(&seen, &after->world)) {
            depth++;
        }
    }
    *worlds = seen.used;
    free(seen.slot);
    free(visits);
    return problem;
}

static void
a_reader_never_takes_what_was_not_written_together(void **state)
{
    size_t worlds;
    const char *found = explore(FLAW_NONE, &worlds);
    print_message("%u worlds, too slow at %u ends\n", (unsigned)worlds, outrun);
    if (found) {
        fail_msg("%s", found);
    }
    assert_true(worlds > 10000);
    assert_true(outrun > 0);
}

static void
every_missing_fence_is_found(void **state)
{
    static const struct {
        const char *name, *problem;
    } expected[FLAW_COUNT] = {
        [FLAW_NO_RESERVE_FENCE] = {"no fence behind the reservation", "a sample of another frame"},
        [FLAW_NO_VERSION_FENCE] = {"no fence behind the odd version", "news of two writes"},
        [FLAW_RELAXED_VERSION] = {"a relaxed even version", NULL},
        [FLAW_NO_NEWS_FENCE] = {"no fence behind reading the news", "news of two writes"},
        [FLAW_NO_READ_FENCE] = {"no fence behind copying", "a sample of another frame"},
    };
    for (unsigned f = FLAW_NONE + 1; f < FLAW_COUNT; f++) {
        size_t worlds;
        const char *found = explore((enum flaw)f, &worlds);
        print_message("%s: %s after %u worlds\n", expected[f].name, found ? found : "nothing",
                      (unsigned)worlds);
        assert_non_null(found);
        if (expected[f].problem) {
            assert_string_equal(found, expected[f].problem);
        }
    }
}

static void
before_the_first_write_there_are_no_news(void **state)
{
    struct world world;
    struct feed_news news;
    memset(&world, 0, sizeof(world));
    feed_ring_init(&ring, samples, 1, CAPACITY);
    flaw = FLAW_NONE;
    move.world = &world;
    move.side = READER;
    move.at = 0;
    move.made = false;
    assert_int_equal(setjmp(move.leave), 0);
    assert_false(feed_ring_news(&ring, &news));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_never_takes_what_was_not_written_together),
        cmocka_unit_test(every_missing_fence_is_found),
        cmocka_unit_test(before_the_first_write_there_are_no_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
