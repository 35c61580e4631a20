// SPDX-License-Identifier: MIT
// A host and a driver as C++ programs have them: abstract classes without a word about calling
// conventions, which on 32-bit x86 makes their methods thiscall by the compiler's own rule.
#include "test_asio_abi.h"

#include <cstring>

#if defined(__i386__)
#define COM_METHOD __attribute__((stdcall))
#else
#define COM_METHOD
#endif

// Not in the unnamed namespace: there the compiler may conclude that cpp_driver below is all there
// is.
struct driver_class {
    virtual int32_t COM_METHOD query_interface(const asio_guid &iid, void **object) = 0;
    virtual uint32_t COM_METHOD add_ref() = 0;
    virtual uint32_t COM_METHOD release() = 0;
    virtual int32_t init(void *system_reference) = 0;
    virtual void get_driver_name(char *name) = 0;
    virtual int32_t get_driver_version() = 0;
    virtual void get_error_message(char *text) = 0;
    virtual int32_t start() = 0;
    virtual int32_t stop() = 0;
    virtual int32_t get_channels(int32_t *inputs, int32_t *outputs) = 0;
    virtual int32_t get_latencies(int32_t *input, int32_t *output) = 0;
    virtual int32_t get_buffer_size(int32_t *min, int32_t *max, int32_t *preferred,
                                    int32_t *granularity) = 0;
    virtual int32_t can_sample_rate(double rate) = 0;
    virtual int32_t get_sample_rate(double *rate) = 0;
    virtual int32_t set_sample_rate(double rate) = 0;
    virtual int32_t get_clock_sources(asio_clock_source *clocks, int32_t *count) = 0;
    virtual int32_t set_clock_source(int32_t index) = 0;
    virtual int32_t get_sample_position(asio_int64 *position, asio_int64 *time) = 0;
    virtual int32_t get_channel_info(asio_channel_info *info) = 0;
    virtual int32_t create_buffers(asio_buffer_info *infos, int32_t count, int32_t frames,
                                   asio_callbacks *callbacks) = 0;
    virtual int32_t dispose_buffers() = 0;
    virtual int32_t control_panel() = 0;
    virtual int32_t future(int32_t selector, void *parameter) = 0;
    virtual int32_t output_ready() = 0;

  protected:
    ~driver_class() = default;
};

namespace
{

uintptr_t
stack_pointer()
{
    uintptr_t sp;
#if defined(__i386__)
    __asm__ volatile("movl %%esp, %0" : "=r"(sp));
#elif defined(__x86_64__)
    __asm__ volatile("movq %%rsp, %0" : "=r"(sp));
#else
    sp = 0;
#endif
    return sp;
}

unsigned
call_once(driver_class *driver)
{
    void *const pointer = reinterpret_cast<void *>(ABI_POINTER);
    const asio_guid iid = {0x11223344, 0x5566, 0x7788, {0, 1, 2, 3, 4, 5, 6, 0x77}};
    unsigned wrong = 0;
    void *object = nullptr;
    char text[ASIO_ERROR_BYTES] = "";
    int32_t a = 0, b = 0, c = 0, d = 0, nine = 9;
    double rate = 0;
    asio_int64 position = {0, 0}, time = {0, 0};

    wrong += driver->query_interface(iid, &object) != 0 || object != driver;
    wrong += driver->add_ref() != 2;
    wrong += driver->release() != 1;
    wrong += driver->init(pointer) != 1;
    driver->get_driver_name(text);
    wrong += std::strcmp(text, "noting") != 0;
    wrong += driver->get_driver_version() != 5;
    driver->get_error_message(text);
    wrong += std::strcmp(text, "none") != 0;
    wrong += driver->start() != 7;
    wrong += driver->stop() != 8;
    wrong += driver->get_channels(&a, &b) != 9 || a != 1 || b != 2;
    wrong += driver->get_latencies(&a, &b) != 10 || a != 3 || b != 4;
    wrong += driver->get_buffer_size(&a, &b, &c, &d) != 11 || a != 5 || b != 6 || c != 7 || d != 8;
    wrong += driver->can_sample_rate(ABI_RATE) != 12;
    wrong += driver->get_sample_rate(&rate) != 13 || rate < ABI_RATE || rate > ABI_RATE;
    wrong += driver->set_sample_rate(ABI_RATE) != 14;
    wrong += driver->get_clock_sources(static_cast<asio_clock_source *>(pointer), &nine) != 15;
    wrong += driver->set_clock_source(10) != 16;
    wrong +=
        driver->get_sample_position(&position, &time) != 17 || position.lo != 11 || time.lo != 12;
    wrong += driver->get_channel_info(static_cast<asio_channel_info *>(pointer)) != 18;
    wrong += driver->create_buffers(static_cast<asio_buffer_info *>(pointer), 13, 14,
                                    static_cast<asio_callbacks *>(pointer)) != 19;
    wrong += driver->dispose_buffers() != 20;
    wrong += driver->control_panel() != 21;
    wrong += driver->future(15, pointer) != 22;
    wrong += driver->output_ready() != 23;
    return wrong;
}

class cpp_driver final : public driver_class
{
  public:
    int32_t COM_METHOD
    query_interface(const asio_guid &, void **object) override
    {
        *object = this;
        return 0;
    }
    uint32_t COM_METHOD
    add_ref() override
    {
        return 41;
    }
    uint32_t COM_METHOD
    release() override
    {
        return 40;
    }
    int32_t
    init(void *) override
    {
        return 1;
    }
    void
    get_driver_name(char *name) override
    {
        std::strcpy(name, "cpp");
    }
    int32_t
    get_driver_version() override
    {
        return 1;
    }
    void
    get_error_message(char *text) override
    {
        *text = '\0';
    }
    int32_t
    start() override
    {
        return ASIO_OK;
    }
    int32_t
    stop() override
    {
        return ASIO_OK;
    }
    int32_t
    get_channels(int32_t *, int32_t *) override
    {
        return ASIO_OK;
    }
    int32_t
    get_latencies(int32_t *, int32_t *) override
    {
        return ASIO_OK;
    }
    int32_t
    get_buffer_size(int32_t *min, int32_t *max, int32_t *preferred, int32_t *step) override
    {
        *min = 1;
        *max = 2;
        *preferred = 3;
        *step = 4;
        return ASIO_OK;
    }
    int32_t
    can_sample_rate(double) override
    {
        return ASIO_OK;
    }
    int32_t
    get_sample_rate(double *) override
    {
        return ASIO_OK;
    }
    int32_t
    set_sample_rate(double rate) override
    {
        return rate < ABI_RATE || rate > ABI_RATE ? ASIO_NO_CLOCK : ASIO_OK;
    }
    int32_t
    get_clock_sources(asio_clock_source *, int32_t *) override
    {
        return ASIO_OK;
    }
    int32_t
    set_clock_source(int32_t) override
    {
        return ASIO_OK;
    }
    int32_t
    get_sample_position(asio_int64 *, asio_int64 *) override
    {
        return ASIO_OK;
    }
    int32_t
    get_channel_info(asio_channel_info *) override
    {
        return ASIO_OK;
    }
    int32_t
    create_buffers(asio_buffer_info *, int32_t, int32_t, asio_callbacks *) override
    {
        return ASIO_OK;
    }
    int32_t
    dispose_buffers() override
    {
        return ASIO_OK;
    }
    int32_t
    control_panel() override
    {
        return ASIO_OK;
    }
    int32_t
    future(int32_t, void *) override
    {
        return ASIO_INVALID_PARAMETER;
    }
    int32_t
    output_ready() override
    {
        return ASIO_NOT_PRESENT;
    }
};

} // namespace

unsigned
abi_call_everything(void *driver, unsigned times)
{
    driver_class *as_class = static_cast<driver_class *>(driver);
    unsigned wrong = 0;
    const uintptr_t before = stack_pointer();

    for (unsigned i = 0; i < times; i++) {
        wrong += call_once(as_class);
    }
    return stack_pointer() == before ? wrong : wrong + 1000000;
}

struct asio_driver *
abi_cpp_driver(void)
{
    static cpp_driver driver;

    return reinterpret_cast<struct asio_driver *>(static_cast<driver_class *>(&driver));
}
