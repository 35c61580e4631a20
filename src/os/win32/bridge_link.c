/* SPDX-License-Identifier: MIT */
/* Links to the native engine: what the bridge's reader takes off the pipe waits here for
 * os_link_recv(). */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bridge.h"
#include "link.h"

struct packet {
    struct packet *next;
    size_t bytes;
    os_handle handle[OS_LINK_MAX_HANDLES];
    unsigned char data[];
};

struct bridge_link {
    struct bridge_link *next; /* of all */
    uint32_t number, epoch, peer_pid;
    /* guarded by lock */
    struct packet *first, **last;
    bool shut, closed;
};

static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
static struct bridge_link *links; /* guarded by lock */

static uint32_t
left_ms(uint64_t deadline_ns)
{
    const DWORD ms = win32_timeout_ms(deadline_ns);
    return ms < 60000 ? ms : 60000;
}

/* ---- the reader's side ---- */

/* lock held. */
static struct bridge_link *
find(uint32_t number)
{
    struct bridge_link *link = links;
    while (link != NULL && (link->number != number || link->epoch != bridge_epoch())) {
        link = link->next;
    }
    return link;
}

static struct packet *
make_packet(const struct bridge_record *record, const void *payload, size_t bytes)
{
    struct packet *packet = malloc(sizeof(*packet) + bytes);
    if (packet == NULL) {
        return NULL;
    }
    packet->next = NULL;
    packet->bytes = bytes;
    memcpy(packet->data, payload, bytes);
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        packet->handle[i] = bridge_object_take(&record->object[i]);
    }
    return packet;
}

static void
free_packet(struct packet *packet)
{
    for (unsigned i = 0; i < OS_LINK_MAX_HANDLES; i++) {
        os_handle_close(packet->handle[i]);
    }
    free(packet);
}

void
bridge_link_take(const struct bridge_record *record, const void *payload, size_t payload_bytes)
{
    struct packet *packet =
        record->kind == BRIDGE_MESSAGE ? make_packet(record, payload, payload_bytes) : NULL;
    AcquireSRWLockExclusive(&lock);
    struct bridge_link *link = find(record->link);
    if (link != NULL && packet != NULL) {
        *link->last = packet;
        link->last = &packet->next;
    } else if (link != NULL) {
        link->closed = true;
    }
    ReleaseSRWLockExclusive(&lock);
    WakeAllConditionVariable(&changed);
    if (link == NULL && packet != NULL) {
        free_packet(packet);
    }
}

void
bridge_link_lose_all(void)
{
    AcquireSRWLockExclusive(&lock);
    for (struct bridge_link *link = links; link != NULL; link = link->next) {
        link->closed = true;
    }
    ReleaseSRWLockExclusive(&lock);
    WakeAllConditionVariable(&changed);
}

/* ---- making and ending ---- */

static void
enlist(struct bridge_link *link)
{
    AcquireSRWLockExclusive(&lock);
    link->next = links;
    links = link;
    ReleaseSRWLockExclusive(&lock);
}

/* Messages that came before it was listed are lost: the engine sends none before it is greeted. */
static enum tutti_status
ask_for_link(struct bridge_link *link, uint64_t deadline_ns)
{
    struct bridge_record reply, request = {.kind = BRIDGE_CONNECT, .number = left_ms(deadline_ns)};
    const enum tutti_status status = bridge_ask(&request, NULL, 0, &reply, request.number);
    if (status != TUTTI_OK) {
        return status;
    }
    link->number = reply.link;
    link->epoch = bridge_epoch();
    link->peer_pid = reply.number;
    enlist(link);
    return TUTTI_OK;
}

enum tutti_status
bridge_link_connect(struct os_link **out, uint64_t deadline_ns)
{
    enum tutti_status status = TUTTI_NO_MEMORY;
    struct os_link *link = calloc(1, sizeof(*link));
    struct bridge_link *bridge = calloc(1, sizeof(*bridge));
    if (link == NULL || bridge == NULL) {
        goto failed;
    }
    bridge->last = &bridge->first;
    status = bridge_hold();
    if (status != TUTTI_OK) {
        goto failed;
    }
    status = ask_for_link(bridge, deadline_ns);
    if (status != TUTTI_OK) {
        bridge_release();
        goto failed;
    }
    link->bridge = bridge;
    *out = link;
    return TUTTI_OK;

failed:
    free(bridge);
    free(link);
    return status;
}

static bool
is_alive(const struct bridge_link *link)
{
    return link->epoch == bridge_epoch();
}

void
bridge_link_shutdown(struct bridge_link *link)
{
    struct bridge_record request = {.kind = BRIDGE_SHUT, .link = link->number};
    AcquireSRWLockExclusive(&lock);
    const bool shut = link->shut;
    link->shut = true;
    ReleaseSRWLockExclusive(&lock);
    WakeAllConditionVariable(&changed);
    if (!shut && is_alive(link)) {
        bridge_ask(&request, NULL, 0, NULL, 0);
    }
}

void
bridge_link_close(struct bridge_link *link)
{
    struct bridge_record request = {.kind = BRIDGE_DROP, .link = link->number};
    if (is_alive(link)) {
        bridge_ask(&request, NULL, 0, NULL, 0);
    }
    AcquireSRWLockExclusive(&lock);
    struct bridge_link **at = &links;
    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    ReleaseSRWLockExclusive(&lock);
    for (struct packet *packet = link->first, *next; packet != NULL; packet = next) {
        next = packet->next;
        free_packet(packet);
    }
    free(link);
    bridge_release();
}

uint32_t
bridge_link_peer_pid(const struct bridge_link *link)
{
    return link->peer_pid;
}

/* ---- messages ---- */

enum tutti_status
bridge_link_send(struct bridge_link *link, const void *message, size_t message_bytes,
                 const os_handle *handles, unsigned handle_count, uint64_t deadline_ns)
{
    struct bridge_record request = {
        .kind = BRIDGE_SEND, .link = link->number, .number = left_ms(deadline_ns)};
    if (message_bytes == 0 || message_bytes > OS_LINK_MAX_MESSAGE_BYTES ||
        handle_count > OS_LINK_MAX_HANDLES) {
        return TUTTI_INVALID_ARGUMENT;
    }
    AcquireSRWLockShared(&lock);
    const bool closed = link->shut || link->closed;
    ReleaseSRWLockShared(&lock);
    if (closed || !is_alive(link)) {
        return TUTTI_CLOSED;
    }
    for (unsigned i = 0; i < handle_count; i++) {
        if (handles[i] == OS_NO_HANDLE) {
            continue;
        }
        request.object[i].id = bridge_object_id(handles[i]);
        if (request.object[i].id == 0) {
            log_error("a pipe or memory of this program cannot be shown to the native engine");
            return TUTTI_REFUSED;
        }
    }
    return bridge_ask(&request, message, message_bytes, NULL, request.number);
}

static enum tutti_status
deliver(struct packet *packet, void *message, size_t message_room, size_t *message_bytes,
        os_handle *handles)
{
    if (packet->bytes > message_room) {
        free_packet(packet);
        return TUTTI_PROTOCOL;
    }
    memcpy(message, packet->data, packet->bytes);
    memcpy(handles, packet->handle, sizeof(packet->handle));
    *message_bytes = packet->bytes;
    free(packet);
    return TUTTI_OK;
}

enum tutti_status
bridge_link_recv(struct bridge_link *link, void *message, size_t message_room,
                 size_t *message_bytes, os_handle *handles, uint64_t deadline_ns)
{
    struct packet *packet = NULL;
    enum tutti_status status = TUTTI_TIMEOUT;
    AcquireSRWLockExclusive(&lock);
    while (!link->shut && link->first == NULL && !link->closed && os_now_ns() < deadline_ns) {
        SleepConditionVariableSRW(&changed, &lock, win32_timeout_ms(deadline_ns), 0);
    }
    if (link->shut) {
        status = TUTTI_CLOSED;
    } else if (link->first != NULL) {
        packet = link->first;
        link->first = packet->next;
        if (link->first == NULL) {
            link->last = &link->first;
        }
    } else if (link->closed) {
        status = TUTTI_CLOSED;
    }
    ReleaseSRWLockExclusive(&lock);
    return packet != NULL ? deliver(packet, message, message_room, message_bytes, handles) : status;
}
