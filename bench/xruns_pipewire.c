/* SPDX-License-Identifier: MIT */
/*
 * bench_xruns_pipewire FILE: counts in the first word of FILE what PipeWire's profiler tells: the
 * drivers' own xruns, and nodes that had not finished when a cycle of theirs ended (pw-top shows
 * the same as ERR). Until standard input ends. The server needs libpipewire-module-profiler.
 */
/* first, for the extension leans on it */
#include <pipewire/impl.h>

#include <fcntl.h>
#include <pipewire/extensions/profiler.h>
#include <pipewire/pipewire.h>
#include <spa/param/profiler.h>
#include <spa/pod/iter.h>
#include <spa/pod/parser.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FINISHED = 3 }; /* of a node's status in the profiler's blocks */

struct xrun_file {
    _Atomic uint64_t count;
    _Atomic uint64_t ready;
};

static struct {
    struct pw_main_loop *loop;
    struct pw_core *core;
    struct pw_registry *registry;
    struct pw_proxy *profiler;
    struct spa_hook registry_hook, profiler_hook;
    struct xrun_file *file;
    uint64_t drivers_xruns, unfinished; /* the most that a driver told; nodes */
} world;

static void
take_info(const struct spa_pod *pod)
{
    int64_t counter;
    float load[3];
    int32_t xruns = 0;
    if (spa_pod_parse_struct(pod, SPA_POD_Long(&counter), SPA_POD_Float(&load[0]),
                             SPA_POD_Float(&load[1]), SPA_POD_Float(&load[2]),
                             SPA_POD_Int(&xruns)) >= 0 &&
        (uint64_t)xruns > world.drivers_xruns) {
        world.drivers_xruns = (uint64_t)xruns;
    }
}

static void
take_block(const struct spa_pod *pod)
{
    int32_t id, status = FINISHED;
    const char *name;
    int64_t before, signal, awake, finish;
    if (spa_pod_parse_struct(pod, SPA_POD_Int(&id), SPA_POD_String(&name), SPA_POD_Long(&before),
                             SPA_POD_Long(&signal), SPA_POD_Long(&awake), SPA_POD_Long(&finish),
                             SPA_POD_Int(&status)) >= 0 &&
        status != FINISHED) {
        world.unfinished++;
    }
}

static void
profile(void *user, const struct spa_pod *pod)
{
    (void)user;
    struct spa_pod *object;
    const struct spa_pod_prop *property;
    SPA_POD_STRUCT_FOREACH(pod, object)
    {
        if (!spa_pod_is_object_type(object, SPA_TYPE_OBJECT_Profiler)) {
            continue;
        }
        SPA_POD_OBJECT_FOREACH((const struct spa_pod_object *)object, property)
        {
            if (property->key == SPA_PROFILER_info) {
                take_info(&property->value);
            } else if (property->key == SPA_PROFILER_driverBlock ||
                       property->key == SPA_PROFILER_followerBlock) {
                take_block(&property->value);
            }
        }
    }
    atomic_store(&world.file->count, world.drivers_xruns + world.unfinished);
}

static const struct pw_profiler_events profiler_events = {PW_VERSION_PROFILER_EVENTS, profile};

static void
meet(void *user, uint32_t id, uint32_t permissions, const char *type, uint32_t version,
     const struct spa_dict *properties)
{
    (void)user;
    (void)permissions;
    (void)version;
    (void)properties;
    if (strcmp(type, PW_TYPE_INTERFACE_Profiler) == 0 && !world.profiler) {
        world.profiler = pw_registry_bind(world.registry, id, type, PW_VERSION_PROFILER, 0);
        pw_proxy_add_object_listener(world.profiler, &world.profiler_hook, &profiler_events, NULL);
        atomic_store(&world.file->ready, 1);
    }
}

static const struct pw_registry_events registry_events = {PW_VERSION_REGISTRY_EVENTS, meet, NULL};

static void
end(void *user, int fd, uint32_t mask)
{
    (void)user;
    (void)mask;
    char rest;
    if (read(fd, &rest, 1) <= 0) {
        pw_main_loop_quit(world.loop);
    }
}

int
main(int argc, char **argv)
{
    int descriptor = argc == 2 ? open(argv[1], O_RDWR | O_CREAT, 0600) : -1;
    if (descriptor < 0 || ftruncate(descriptor, sizeof(struct xrun_file)) != 0) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    world.file = mmap(NULL, sizeof(*world.file), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    pw_init(NULL, NULL);
    world.loop = pw_main_loop_new(NULL);
    struct pw_loop *loop = pw_main_loop_get_loop(world.loop);
    struct pw_context *context = pw_context_new(loop, NULL, 0);
    pw_context_load_module(context, PW_EXTENSION_MODULE_PROFILER, NULL, NULL);
    world.core = pw_context_connect(context, NULL, 0);
    if (world.file == MAP_FAILED || !world.core) {
        fprintf(stderr, "xruns: no PipeWire server\n");
        return 1;
    }
    world.registry = pw_core_get_registry(world.core, PW_VERSION_REGISTRY, 0);
    pw_registry_add_listener(world.registry, &world.registry_hook, &registry_events, NULL);
    pw_loop_add_io(loop, STDIN_FILENO, SPA_IO_IN | SPA_IO_HUP, false, end, NULL);
    pw_main_loop_run(world.loop);
    return 0;
}
