/* SPDX-License-Identifier: MIT */
/* tutti devices: lists sound devices. */
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/show.h"

int
command_devices_run(const struct args *args, const struct cli *cli)
{
    static struct session session;
    struct tutti_device_entry *devices = NULL;
    uint32_t count = 0;
    struct text text;

    if (session_open(&session, "tutti devices", true) != TUTTI_OK) {
        return 1;
    }
    enum tutti_status status = tutti_get_devices(session.client, &devices, &count);
    if (status != TUTTI_OK) {
        session_fail(&session, "cannot list the devices", status);
        session_close(&session);
        return 1;
    }
    session_close(&session);
    text_init(&text);
    if (args_flag(args, "json")) {
        show_devices_json(&text, devices, count);
    } else {
        show_devices(&text, &cli->out, devices, count);
    }
    bool printed = say_text(&text);
    text_fini(&text);
    tutti_free(devices);
    return printed ? 0 : 1;
}
