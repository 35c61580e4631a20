/* SPDX-License-Identifier: MIT */
/*
 * What is in the server's graph: kept up to date by the server's events, on the loop's thread. A
 * device is what a person calls one: a card's sink and source together, or a lone one, or the
 * default sink with the default source.
 */
#include "backend/pipewire/pipewire_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pipewire/extensions/metadata.h>
#include <spa/utils/json.h>

#include "backend/graph/graph.h"
#include "base/utf8.h"

const char pipewire_default_device[] = "PipeWire default";

static void
tell(struct pipewire_server *server)
{
    if (server->changed) {
        server->changed(server->user);
    }
}

/* ---- facts ---- */

/* The name in {"name": "..."}; empty without. */
static void
read_name(const char *value, char name[PIPEWIRE_NAME_BYTES])
{
    struct spa_json outer, inner;
    char key[PIPEWIRE_NAME_BYTES], text[PIPEWIRE_NAME_BYTES];
    name[0] = '\0';
    if (!value) {
        return;
    }
    spa_json_init(&outer, value, strlen(value));
    if (spa_json_enter_object(&outer, &inner) <= 0) {
        return;
    }
    while (spa_json_get_string(&inner, key, sizeof(key)) > 0 &&
           spa_json_get_string(&inner, text, sizeof(text)) > 0) {
        if (strcmp(key, "name") == 0) {
            snprintf(name, PIPEWIRE_NAME_BYTES, "%s", text);
        }
    }
}

static int
on_default(void *data, uint32_t subject, const char *key, const char *type, const char *value)
{
    struct pipewire_server *server = data;
    (void)type;
    if (subject == 0 && (!key || strcmp(key, "default.audio.sink") == 0)) {
        read_name(value, server->default_sink);
    }
    if (subject == 0 && (!key || strcmp(key, "default.audio.source") == 0)) {
        read_name(value, server->default_source);
    }
    tell(server);
    return 0;
}

static int
on_setting(void *data, uint32_t subject, const char *key, const char *type, const char *value)
{
    struct pipewire_server *server = data;
    uint32_t number = value ? (uint32_t)strtoul(value, NULL, 10) : 0;
    (void)subject;
    (void)type;
    if (key && strcmp(key, "clock.rate") == 0) {
        server->rate_hz = number;
    } else if (key && strcmp(key, "clock.force-rate") == 0) {
        server->forced_rate_hz = number;
    }
    return 0;
}

static const struct pw_metadata_events default_events = {
    .version = PW_VERSION_METADATA_EVENTS,
    .property = on_default,
};
static const struct pw_metadata_events setting_events = {
    .version = PW_VERSION_METADATA_EVENTS,
    .property = on_setting,
};

static void
bind_metadata(struct pipewire_server *server, uint32_t id, struct pipewire_metadata *metadata,
              const struct pw_metadata_events *events)
{
    if (metadata->proxy) {
        return;
    }
    metadata->proxy = pw_registry_bind((struct pw_registry *)server->registry, id,
                                       PW_TYPE_INTERFACE_Metadata, PW_VERSION_METADATA, 0);
    if (metadata->proxy) {
        metadata->id = id;
        pw_metadata_add_listener((struct pw_metadata *)metadata->proxy, &metadata->hook, events,
                                 server);
    }
}

static void
release_metadata(struct pipewire_server *server, uint32_t id, struct pipewire_metadata *metadata)
{
    if (metadata->proxy && metadata->id == id) {
        spa_hook_remove(&metadata->hook);
        server->api->proxy_destroy(metadata->proxy);
        metadata->proxy = NULL;
    }
}

/* ---- what appears ---- */

static const char *
get(const struct spa_dict *props, const char *key)
{
    const char *value = props ? spa_dict_lookup(props, key) : NULL;
    return value ? value : "";
}

static enum pipewire_class
class_of(const char *media_class)
{
    return strcmp(media_class, "Audio/Sink") == 0          ? PIPEWIRE_SINK
           : strncmp(media_class, "Audio/Source", 12) == 0 ? PIPEWIRE_SOURCE
                                                           : PIPEWIRE_OTHER;
}

static void
add_node(struct pipewire_server *server, uint32_t id, const struct spa_dict *props)
{
    enum pipewire_class class = class_of(get(props, PW_KEY_MEDIA_CLASS));
    struct pipewire_node *node =
        class == PIPEWIRE_OTHER ? NULL : calloc(1, sizeof(struct pipewire_node));
    if (!node) {
        return;
    }
    const char *description = get(props, PW_KEY_NODE_DESCRIPTION);
    const char *device = get(props, PW_KEY_DEVICE_ID);
    node->id = id;
    node->class = class;
    snprintf(node->name, sizeof(node->name), "%s", get(props, PW_KEY_NODE_NAME));
    utf8_copy(node->description, sizeof(node->description),
              description[0] ? description : node->name);
    node->device = device[0] ? (int32_t)strtol(device, NULL, 10) : -1;
    node->priority = (int32_t)strtol(get(props, PW_KEY_PRIORITY_SESSION), NULL, 10);
    /* in the order of their appearance: the oldest of equals is the default */
    struct pipewire_node **last = &server->nodes;
    while (*last) {
        last = &(*last)->next;
    }
    *last = node;
}

static void
add_port(struct pipewire_server *server, uint32_t id, const struct spa_dict *props)
{
    const char *format = get(props, PW_KEY_FORMAT_DSP);
    if (strstr(format, "audio") == NULL) {
        return;
    }
    struct pipewire_port *port = calloc(1, sizeof(*port));
    if (!port) {
        return;
    }
    port->server = server;
    port->id = id;
    port->node = (uint32_t)strtoul(get(props, PW_KEY_NODE_ID), NULL, 10);
    port->index = (uint32_t)strtoul(get(props, PW_KEY_PORT_ID), NULL, 10);
    port->direction = strcmp(get(props, PW_KEY_PORT_DIRECTION), "in") == 0 ? PW_DIRECTION_INPUT
                                                                           : PW_DIRECTION_OUTPUT;
    port->monitor = strcmp(get(props, PW_KEY_PORT_MONITOR), "true") == 0;
    port->next = server->ports;
    server->ports = port;
}

static void
on_global(void *data, uint32_t id, uint32_t permissions, const char *type, uint32_t version,
          const struct spa_dict *props)
{
    struct pipewire_server *server = data;
    (void)permissions;
    (void)version;
    if (strcmp(type, PW_TYPE_INTERFACE_Node) == 0) {
        add_node(server, id, props);
    } else if (strcmp(type, PW_TYPE_INTERFACE_Port) == 0) {
        add_port(server, id, props);
    } else if (strcmp(type, PW_TYPE_INTERFACE_Metadata) == 0) {
        const char *name = get(props, PW_KEY_METADATA_NAME);
        if (strcmp(name, "default") == 0) {
            bind_metadata(server, id, &server->defaults, &default_events);
        } else if (strcmp(name, "settings") == 0) {
            bind_metadata(server, id, &server->settings, &setting_events);
        }
        return;
    } else {
        return;
    }
    tell(server);
}

/* ---- what goes ---- */

static void
free_port(struct pipewire_port *port)
{
    if (port->proxy) {
        spa_hook_remove(&port->hook);
        port->server->api->proxy_destroy(port->proxy);
    }
    free(port);
}

static void
on_global_remove(void *data, uint32_t id)
{
    struct pipewire_server *server = data;
    release_metadata(server, id, &server->defaults);
    release_metadata(server, id, &server->settings);
    for (struct pipewire_node **at = &server->nodes; *at; at = &(*at)->next) {
        if ((*at)->id == id) {
            struct pipewire_node *node = *at;
            *at = node->next;
            free(node);
            tell(server);
            return;
        }
    }
    for (struct pipewire_port **at = &server->ports; *at; at = &(*at)->next) {
        if ((*at)->id == id) {
            struct pipewire_port *port = *at;
            *at = port->next;
            free_port(port);
            tell(server);
            return;
        }
    }
}

static const struct pw_registry_events registry_events = {
    .version = PW_VERSION_REGISTRY_EVENTS,
    .global = on_global,
    .global_remove = on_global_remove,
};

void
pipewire_registry_open(struct pipewire_server *server)
{
    server->registry =
        (struct pw_proxy *)pw_core_get_registry(server->core, PW_VERSION_REGISTRY, 0);
    if (server->registry) {
        pw_registry_add_listener((struct pw_registry *)server->registry, &server->registry_hook,
                                 &registry_events, server);
    }
}

void
pipewire_registry_close(struct pipewire_server *server)
{
    while (server->ports) {
        struct pipewire_port *port = server->ports;
        server->ports = port->next;
        free_port(port);
    }
    while (server->nodes) {
        struct pipewire_node *node = server->nodes;
        server->nodes = node->next;
        free(node);
    }
    release_metadata(server, server->defaults.id, &server->defaults);
    release_metadata(server, server->settings.id, &server->settings);
    if (server->registry) {
        spa_hook_remove(&server->registry_hook);
        server->api->proxy_destroy(server->registry);
        server->registry = NULL;
    }
}

/* ---- ports ---- */

static int
by_index(const void *a, const void *b)
{
    const struct pipewire_port *x = *(struct pipewire_port *const *)a;
    const struct pipewire_port *y = *(struct pipewire_port *const *)b;
    return (x->index > y->index) - (x->index < y->index);
}

uint32_t
pipewire_registry_ports(struct pipewire_server *server, uint32_t node, enum pw_direction direction,
                        struct pipewire_port **ports, uint32_t room)
{
    uint32_t count = 0;
    for (struct pipewire_port *port = server->ports; port && count < room; port = port->next) {
        if (port->node == node && port->direction == direction && !port->monitor) {
            if (ports) {
                ports[count] = port;
            }
            count++;
        }
    }
    if (ports) {
        qsort(ports, count, sizeof(struct pipewire_port *), by_index);
    }
    return count;
}

static void
on_port_param(void *data, int seq, uint32_t id, uint32_t index, uint32_t next,
              const struct spa_pod *param)
{
    struct pipewire_port *port = data;
    struct spa_latency_info latency;
    (void)seq;
    (void)index;
    (void)next;
    /* the other one of the two is what lies on our side */
    if (id == SPA_PARAM_Latency && param && spa_latency_parse(param, &latency) >= 0 &&
        latency.direction == (enum spa_direction)port->direction &&
        spa_latency_info_compare(&latency, &port->latency) != 0) {
        port->latency = latency;
        tell(port->server);
    }
}

static const struct pw_port_events port_events = {
    .version = PW_VERSION_PORT_EVENTS,
    .param = on_port_param,
};

void
pipewire_registry_watch_latency(struct pipewire_server *server, struct pipewire_port *port)
{
    uint32_t wanted[] = {SPA_PARAM_Latency};
    if (port->proxy) {
        return;
    }
    port->proxy = pw_registry_bind((struct pw_registry *)server->registry, port->id,
                                   PW_TYPE_INTERFACE_Port, PW_VERSION_PORT, 0);
    if (port->proxy) {
        pw_port_add_listener((struct pw_port *)port->proxy, &port->hook, &port_events, port);
        pw_port_subscribe_params((struct pw_port *)port->proxy, wanted, 1);
    }
}

/* ---- devices ---- */

static bool
is_usable(struct pipewire_server *server, const struct pipewire_node *node)
{
    enum pw_direction direction =
        node->class == PIPEWIRE_SINK ? PW_DIRECTION_INPUT : PW_DIRECTION_OUTPUT;
    return pipewire_registry_ports(server, node->id, direction, NULL, 1) > 0;
}

/* The named one; without it, as no session manager runs, the one of the highest priority. */
static const struct pipewire_node *
default_node(struct pipewire_server *server, enum pipewire_class class, const char *name)
{
    const struct pipewire_node *best = NULL;
    for (const struct pipewire_node *node = server->nodes; node; node = node->next) {
        if (node->class != class || !is_usable(server, node)) {
            continue;
        }
        if (strcmp(node->name, name) == 0) {
            return node;
        }
        if (!best || node->priority > best->priority) {
            best = node;
        }
    }
    return best;
}

/* The other half of a card. */
static const struct pipewire_node *
partner_of(struct pipewire_server *server, const struct pipewire_node *of)
{
    for (const struct pipewire_node *node = server->nodes; node; node = node->next) {
        if (of->device >= 0 && node->device == of->device && node->class != of->class &&
            is_usable(server, node)) {
            return node;
        }
    }
    return NULL;
}

bool
pipewire_registry_target(struct pipewire_server *server, const char *device,
                         struct pipewire_target *target)
{
    if (!device[0] || strcmp(device, pipewire_default_device) == 0) {
        target->sink = default_node(server, PIPEWIRE_SINK, server->default_sink);
        target->source = default_node(server, PIPEWIRE_SOURCE, server->default_source);
        return true;
    }
    const struct pipewire_node *found = NULL;
    for (const struct pipewire_node *node = server->nodes; node; node = node->next) {
        if (!is_usable(server, node)) {
            continue;
        }
        if (strncmp(node->name, device, BACKEND_NAME_BYTES - 1) == 0) {
            found = node; /* a name belongs to one */
            break;
        }
        if (!found && strcmp(node->description, device) == 0) {
            found = node;
        }
    }
    const struct pipewire_node *partner = found ? partner_of(server, found) : NULL;
    target->sink = found && found->class == PIPEWIRE_SINK ? found : partner;
    target->source = found && found->class == PIPEWIRE_SOURCE ? found : partner;
    return found != NULL;
}

static void
describe(struct pipewire_server *server, const struct pipewire_target *target,
         struct backend_device *device)
{
    device->inputs = target->source
                         ? pipewire_registry_ports(server, target->source->id, PW_DIRECTION_OUTPUT,
                                                   NULL, BACKEND_MAX_CHANNELS)
                         : GRAPH_PORTS_WITHOUT_DEVICE;
    device->outputs = target->sink
                          ? pipewire_registry_ports(server, target->sink->id, PW_DIRECTION_INPUT,
                                                    NULL, BACKEND_MAX_CHANNELS)
                          : GRAPH_PORTS_WITHOUT_DEVICE;
    device->rates_hz[0] = server->forced_rate_hz ? server->forced_rate_hz : server->rate_hz;
}

/* Two cards of a kind have one description. */
static bool
is_taken(const char *name, const struct backend_device *devices, unsigned count)
{
    bool taken = false;
    for (unsigned i = 0; i < count; i++) {
        taken |= strcmp(devices[i].name, name) == 0;
    }
    return taken;
}

unsigned
pipewire_registry_devices(struct pipewire_server *server, struct backend_device *devices,
                          unsigned room)
{
    unsigned count = 0;
    struct pipewire_target target;
    memset(devices, 0, room * sizeof(devices[0]));
    if (room) {
        pipewire_registry_target(server, "", &target);
        utf8_copy(devices[0].name, sizeof(devices[0].name), pipewire_default_device);
        devices[0].is_default = true;
        describe(server, &target, &devices[count++]);
    }
    for (const struct pipewire_node *node = server->nodes; node && count < room;
         node = node->next) {
        /* a card is listed by its sink */
        const struct pipewire_node *partner = partner_of(server, node);
        if (!is_usable(server, node) || (node->class == PIPEWIRE_SOURCE && partner)) {
            continue;
        }
        target.sink = node->class == PIPEWIRE_SINK ? node : partner;
        target.source = node->class == PIPEWIRE_SOURCE ? node : partner;
        utf8_copy(devices[count].name, sizeof(devices[count].name),
                  is_taken(node->description, devices, count) ? node->name : node->description);
        describe(server, &target, &devices[count++]);
    }
    return count;
}
