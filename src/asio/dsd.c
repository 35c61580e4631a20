/* SPDX-License-Identifier: MIT */
/*
 * DSD: the host counts in samples of one bit, sixteen of which make one frame of the device (DoP,
 * src/dsp/dop.h). Offered when the configuration says that the device decodes it, for nothing else
 * tells; the engine then gives this program a device of its own whose words are wide enough, or
 * refuses (PROTO_PREPARE_EXACT). Everything behind the gate is in frames of the device and is
 * turned into the host's samples where that is reported.
 */
#include "asio/driver.h"

#include <math.h>
#include <stdlib.h>

/* DSD64 on 44.1 kHz; then its multiples, and those on 48 kHz. */
enum { DSD_LEAST_DEVICE_HZ = 176400, DSD_FAMILY_HZ = 44100 };

uint32_t
dsd_unit(const struct driver *driver)
{
    return atomic_load(&driver->dsd) ? DOP_BITS : 1;
}

int32_t
dsd_sample_type(const struct driver *driver)
{
    return convert_type_of(atomic_load(&driver->dsd) ? driver->config.program_dsd
                                                     : driver->config.program_sample_type);
}

double
dsd_device_rate(const struct driver *driver, double rate_hz)
{
    if (!atomic_load(&driver->dsd)) {
        return rate_hz;
    }
    rate_hz /= DOP_BITS;
    return rate_hz >= DSD_LEAST_DEVICE_HZ ? rate_hz : 0;
}

/* The rate to begin with: the present one, else the least of the 44.1 kHz family, else any. 0:
 * there is none. */
static double
choose_rate(const struct tutti_device *device)
{
    double best = 0;

    if (device->rate_hz >= DSD_LEAST_DEVICE_HZ) {
        return device->rate_hz;
    }
    for (unsigned i = 0; i < TUTTI_MAX_RATES && device->rates_hz[i] > 0; i++) {
        double rate_hz = device->rates_hz[i];
        if (rate_hz < DSD_LEAST_DEVICE_HZ) {
            continue;
        }
        bool family = fmod(rate_hz, DSD_FAMILY_HZ) == 0;
        bool best_family = best > 0 && fmod(best, DSD_FAMILY_HZ) == 0;
        if (!(best > 0) || family > best_family || (family == best_family && rate_hz < best)) {
            best = rate_hz;
        }
    }
    return best;
}

/* What speaks against DSD, reported; ASIO_SUCCESS: nothing. */
static int32_t
check(struct driver *driver, double *rate_hz)
{
    struct tutti_device device = {0};

    if (object_state(driver) == STATE_LOADED) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "DSD: the driver is not initialised");
    }
    if (!convert_is_dsd(convert_type_of(driver->config.program_dsd))) {
        return object_fail(driver, ASIO_INVALID_PARAMETER,
                           "DSD is off; if the device decodes DoP, set dsd = msb under [program] "
                           "in tutti.ini");
    }
    tutti_get_device(driver->client, &device);
    *rate_hz = choose_rate(&device);
    if (!(*rate_hz > 0)) {
        return object_fail(driver, ASIO_INVALID_PARAMETER,
                           "DSD needs a device with a sample rate of %d Hz or more",
                           DSD_LEAST_DEVICE_HZ);
    }
    return ASIO_SUCCESS;
}

static int32_t
enter_dsd(struct driver *driver)
{
    struct tutti_device device = {0};
    double rate_hz;
    int32_t result = check(driver, &rate_hz);

    if (result != ASIO_SUCCESS) {
        return result;
    }
    tutti_get_device(driver->client, &device);
    if (device.rate_hz != rate_hz) {
        enum tutti_status status = tutti_set_rate(driver->client, rate_hz);
        if (status) {
            return object_fail_status(driver, status);
        }
    }
    atomic_store(&driver->seen_rate, bits_of_double(rate_hz));
    driver->pcm_rate_hz = device.rate_hz;
    atomic_store(&driver->dsd, true);
    return ASIO_SUCCESS;
}

static void
leave_dsd(struct driver *driver)
{
    atomic_store(&driver->dsd, false);
    if (driver->pcm_rate_hz > 0 &&
        tutti_set_rate(driver->client, driver->pcm_rate_hz) == TUTTI_OK) {
        atomic_store(&driver->seen_rate, bits_of_double(driver->pcm_rate_hz));
    }
    driver->pcm_rate_hz = 0; /* refused: somebody else holds the device, the rate is as it is */
}

static int32_t
set_format(struct driver *driver, bool dsd)
{
    int32_t result = ASIO_SUCCESS;

    if (dsd == atomic_load(&driver->dsd)) {
        return ASIO_SUCCESS;
    }
    if (!object_own(driver, CALL_SET_SAMPLE_RATE, false, &result)) {
        return result;
    }
    if (object_state(driver) >= STATE_PREPARED) {
        result = object_fail(driver, ASIO_INVALID_MODE,
                             "dispose the buffers before changing between PCM and DSD");
    } else if (dsd) {
        result = enter_dsd(driver);
    } else {
        leave_dsd(driver);
    }
    object_disown(driver);
    return result;
}

int32_t
dsd_io_format(struct driver *driver, int32_t selector, struct asio_io_format *format)
{
    double ignored;

    if (!format) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "an io format without a struct");
    }
    if (selector == ASIO_FUTURE_GET_IO_FORMAT) {
        format->type = atomic_load(&driver->dsd) ? ASIO_FORMAT_DSD : ASIO_FORMAT_PCM;
        return ASIO_SUCCESS;
    }
    bool dsd = format->type == ASIO_FORMAT_DSD;
    if (!dsd && format->type != ASIO_FORMAT_PCM) {
        return object_fail(driver, ASIO_INVALID_PARAMETER, "io format %d is neither PCM nor DSD",
                           (int)format->type);
    }
    if (selector == ASIO_FUTURE_CAN_DO_IO_FORMAT) {
        return dsd ? check(driver, &ignored) : ASIO_SUCCESS;
    }
    return set_format(driver, dsd);
}
