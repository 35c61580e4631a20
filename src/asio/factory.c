/* SPDX-License-Identifier: MIT */
/* Class factories: one object per request. Each holds the module. */
#include "asio/dll.h"
#include "asio/driver.h"

#include <objbase.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unknwn.h>

struct factory {
    IClassFactory com; /* first: what COM holds */
    atomic_ulong references;
    struct dll_name name;
};

static bool
is_iid(REFIID iid, const IID *known)
{
    return IsEqualGUID(iid, known);
}

static ULONG STDMETHODCALLTYPE
factory_add_ref(IClassFactory *self)
{
    return atomic_fetch_add(&((struct factory *)self)->references, 1) + 1;
}

static HRESULT STDMETHODCALLTYPE
factory_query(IClassFactory *self, REFIID iid, void **object)
{
    static const IID unknown = {0, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
    static const IID class_factory = {1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};

    if (!object) {
        return E_POINTER;
    }
    *object = NULL;
    if (!is_iid(iid, &unknown) && !is_iid(iid, &class_factory)) {
        return E_NOINTERFACE;
    }
    factory_add_ref(self);
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE
factory_release(IClassFactory *self)
{
    struct factory *factory = (struct factory *)self;
    unsigned long left = atomic_fetch_sub(&factory->references, 1) - 1;

    if (left == 0) {
        free(factory);
        module_release();
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE
factory_create(IClassFactory *self, IUnknown *outer, REFIID iid, void **object)
{
    const struct factory *factory = (const struct factory *)self;
    struct asio_guid wanted;

    if (!object) {
        return E_POINTER;
    }
    *object = NULL;
    if (outer) {
        return CLASS_E_NOAGGREGATION;
    }
    struct asio_driver *driver = driver_new(&factory->name);
    if (!driver) {
        return E_OUTOFMEMORY;
    }
    memcpy(&wanted, iid, sizeof(wanted));
    HRESULT result = driver->methods->query_interface(driver, &wanted, object);
    driver->methods->release(driver); /* the caller's reference, if any, is query_interface()'s */
    return result;
}

static HRESULT STDMETHODCALLTYPE
factory_lock(IClassFactory *self, BOOL lock)
{
    (void)self;
    if (lock) {
        module_hold();
    } else {
        module_release();
    }
    return S_OK;
}

static IClassFactoryVtbl methods = {
    factory_query, factory_add_ref, factory_release, factory_create, factory_lock,
};

HRESULT
factory_get(const struct dll_name *name, REFIID iid, void **object)
{
    struct factory *factory = calloc(1, sizeof(*factory));

    *object = NULL;
    if (!factory) {
        return E_OUTOFMEMORY;
    }
    module_hold();
    factory->com.lpVtbl = &methods;
    factory->name = *name;
    atomic_init(&factory->references, 1);
    HRESULT result = factory_query(&factory->com, iid, object);
    factory_release(&factory->com); /* the caller's reference, if any, is factory_query()'s */
    return result;
}
